/** Menus and questions above the page: every button is as wide as its words, on every screen. */
import assert from 'node:assert/strict';
import { tile } from '../lib/participant.mjs';
import { story } from '../lib/runner.mjs';
import { AN_PHUOC, CHAIR } from '../lib/server.mjs';
import { twoJoin } from './together.mjs';

const SCREENS = { phone: [360, 740], laptop: [1366, 768], tv: [1920, 1080], uhd: [3840, 2160] };
const LANGUAGES = ['vi', 'en'];
/** A thumb's width, CSS pixels: WCAG 2.2, target size (enhanced). */
const SMALLEST_TARGET = 44;

/** Each opens what its name says; `Escape` closes it again, as often as it has parts. */
const DIALOGS = {
  'menu of a site': async page => page.click(`${await anPhuoc(page)} [data-testid="tile-menu"]`),
  'question before a site is removed': async page => {
    await page.click(`${await anPhuoc(page)} [data-testid="tile-menu"]`);
    await page.click('.menu [data-testid="act-remove"]');
  },
  'menu of the own tile': async page => page.click(`${await own(page)} [data-testid="tile-menu"]`),
  'list of sites': page => page.click('[data-testid="sites"]'),
  'question in the list of sites': async page => {
    await page.click('[data-testid="sites"]');
    await page.click('[data-testid="sites-panel"] [data-testid="act-remove"]');
  },
  devices: page => page.click('[data-testid="devices"]'),
  'question before leaving': page => page.click('[data-testid="leave"]'),
  'question before the end': page => page.click('[data-testid="end"]'),
  shortcuts: page => page.keyboard.press('?'),
};

const siteOf = (page, name) =>
  page.evaluate(name => window.nhipcau.state.meeting.sites.find(site => site.name === name).id, name);
const anPhuoc = async page => tile(await siteOf(page, AN_PHUOC.name));
const own = async page => tile(await siteOf(page, CHAIR.name));

story(
  'no button of a menu or question is narrower than its words',
  async world => {
    const server = await world.server();
    const [hall] = await twoJoin(world, server);
    const { page } = hall;
    await hall.sees(AN_PHUOC, 'commune');
    const faults = [];
    let buttons = 0;
    for (const language of LANGUAGES) {
      if (language !== 'vi') await hall.press('language');
      for (const [name, open] of Object.entries(DIALOGS)) {
        await page.setViewportSize({ width: 1366, height: 768 });
        await open(page);
        await page.waitForSelector('dialog[open]');
        for (const [screen, [width, height]] of Object.entries(SCREENS)) {
          await page.setViewportSize({ width, height });
          const seen = await page.evaluate(misfits, SMALLEST_TARGET);
          buttons += seen.buttons;
          faults.push(...seen.faults.map(fault => `${language}, ${screen}, ${name}: ${fault}`));
        }
        await closeAll(page);
      }
    }
    assert.deepEqual(faults, []);
    console.log(`        ${buttons} buttons measured`);
    assert.ok(buttons > 100, `${buttons} buttons`);
  },
  120_000,
);

/**
 * A dialog is closed at once, and gone when the page has received its `close`: what is opened between the two would be
 * closed by that.
 */
async function closeAll(page) {
  while ((await page.$$('dialog')).length > 0) {
    if ((await page.$$('dialog[open]')).length > 0) await page.keyboard.press('Escape');
    await page.evaluate(() => new Promise(requestAnimationFrame));
  }
}

/** In the page: what does not fit in the dialog on top, and how many buttons with words it has. */
function misfits(smallestTarget) {
  const dialog = [...document.querySelectorAll('dialog[open]')].at(-1);
  const box = dialog.getBoundingClientRect();
  const faults = [];
  if (box.left < 0 || box.right > innerWidth) faults.push('the dialog is wider than the screen');
  if (dialog.scrollWidth > dialog.clientWidth) faults.push('the dialog scrolls sideways');
  const buttons = [...dialog.querySelectorAll('button')].filter(button => button.innerText.trim() !== '');
  for (const button of buttons) {
    const is = button.getBoundingClientRect();
    button.style.cssText = 'width: max-content; max-width: none; white-space: nowrap';
    const words = button.getBoundingClientRect().width;
    button.style.cssText = '';
    const text = button.innerText.trim();
    if (is.width + 1 < words) faults.push(`“${text}” is ${is.width} px wide, its words are ${words}`);
    if (is.height < smallestTarget) faults.push(`“${text}” is ${is.height} px high`);
  }
  return { buttons: buttons.length, faults };
}
