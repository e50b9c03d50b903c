/**
 * Pictures of the page against the mock, at the sizes it must work at, with axe's verdict on each:
 * `npm run shots`, optionally with parts of names. Starts its own server on a free port.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';
import { createServer } from 'vite';

const SIZES = {
  phone: [360, 740],
  landscape: [740, 360],
  laptop: [1366, 768],
  tv: [1920, 1080],
  uhd: [3840, 2160],
};
const LINK = '?ngay=1&scene=';
const SHOTS = [
  ['entry', ['phone', 'landscape', 'laptop', 'tv', 'uhd'], '?#x'],
  ['grid', ['phone', 'landscape', 'laptop', 'tv', 'uhd'], `${LINK}grid#x`],
  ['stage', ['phone', 'landscape', 'laptop', 'tv'], `${LINK}stage#x`],
  ['audio-only', ['phone', 'landscape', 'laptop', 'tv', 'uhd'], `${LINK}grid#x`, chooseAudioOnly],
  ['audio-only-stage', ['phone', 'laptop'], `${LINK}stage#x`, chooseAudioOnly],
  ['mixed', ['phone', 'landscape', 'laptop', 'tv', 'uhd'], `${LINK}grid&limits=mixed#x`],
  ['mixed-choice', ['phone', 'landscape', 'laptop', 'tv'], `${LINK}grid&limits=mixed#x`, chooseAllForSound],
  ['weak', ['phone', 'landscape', 'laptop', 'tv', 'uhd'], `${LINK}grid&limits=weak#x`],
  ['weak-stage', ['phone', 'laptop', 'tv'], `${LINK}stage&limits=weak#x`],
  ['never', ['phone', 'landscape', 'laptop', 'tv', 'uhd'], `${LINK}grid&limits=never#x`],
  ['old', ['phone', 'landscape', 'laptop', 'tv', 'uhd'], `${LINK}grid&limits=old#x`, standFor],
  ['never-stage', ['phone', 'laptop'], `${LINK}stage&limits=never#x`],
  ['old-stage', ['phone', 'laptop'], `${LINK}stage&limits=old#x`, standFor],
  ['lost', ['phone', 'laptop', 'tv', 'uhd'], `${LINK}lost#x`],
  ['moved', ['laptop', 'phone', 'landscape'], `${LINK}moved#x`],
  ['moved-list', ['laptop', 'phone'], `${LINK}moved#x`, page => page.click('[data-testid="sites"]')],
  ['content', ['phone', 'laptop', 'tv', 'uhd'], `${LINK}content#x`],
  [
    'tiled',
    ['phone', 'laptop', 'tv', 'uhd'],
    `${LINK}content#x`,
    page => page.click('[data-testid="layout"]'),
  ],
  ['many', ['laptop', 'tv', 'phone'], `${LINK}many#x`],
  ['sixty', ['laptop', 'tv', 'phone', 'landscape'], `${LINK}many&sites=60#x`],
  ['sixty-list', ['laptop', 'phone'], `${LINK}many&sites=60#x`, page => page.click('[data-testid="sites"]')],
  ['sixty-stage', ['tv', 'phone'], `${LINK}stage&sites=58#x`],
  ['site', ['laptop', 'phone'], `${LINK}site#x`],
  ['on-air', ['laptop'], `${LINK}grid#x`, page => page.keyboard.press('m')],
  [
    'menu',
    ['phone', 'laptop', 'tv', 'uhd'],
    `${LINK}grid#x`,
    page => page.click('[data-site="2"] [data-testid="tile-menu"]'),
  ],
  ['sites', ['laptop', 'phone'], `${LINK}lost#x`, page => page.click('[data-testid="sites"]')],
  ['remove', ['phone', 'laptop', 'tv', 'uhd'], `${LINK}grid#x`, page => removeOf(page, 2)],
  ['end', ['phone', 'laptop', 'tv'], `${LINK}grid#x`, page => page.click('[data-testid="end"]')],
  [
    'devices',
    ['phone', 'laptop', 'tv', 'uhd'],
    `${LINK}grid#x`,
    page => page.click('[data-testid="devices"]'),
  ],
  ['restored', ['laptop'], `${LINK}restored#x`],
  [
    'reconnecting',
    ['phone', 'landscape', 'laptop', 'tv', 'uhd'],
    `${LINK}reconnecting#x`,
    page => page.waitForTimeout(9000),
  ],
  ['cut', ['phone', 'landscape', 'laptop', 'tv', 'uhd'], `${LINK}cut#x`, page => page.keyboard.press('m')],
  ['film', ['phone', 'laptop', 'tv', 'uhd'], `${LINK}grid#x`, page => page.keyboard.press('s')],
  ['full', ['phone', 'laptop', 'tv'], `${LINK}grid&offer=worker_full#x`],
  ['unfit', ['phone', 'laptop'], '?ngay=1&refused=offer_unsupported#x'],
  ['seat-taken', ['laptop', 'phone'], '?ngay=1&refused=seat_taken#x'],
  ['just-moved', ['laptop', 'phone'], '?ngay=1&refused=takeover_too_soon#x'],
  ['no-link', ['laptop'], ''],
];

async function chooseAudioOnly(page) {
  await page.click('[data-testid="devices"]');
  await page.click('.switch:has([data-testid="switch-audioOnly"])');
  await page.keyboard.press('Escape');
}

async function chooseAllForSound(page) {
  await page.click('[data-testid="devices"]');
  await page.click('.switch:has([data-testid="switch-audioOnly"])');
  await page.click('.switch:has([data-testid="switch-mixedSound"])');
  await page.keyboard.press('Escape');
}

/** Long enough for pictures to be old. */
async function standFor(page) {
  await page.waitForTimeout(9000);
}

async function removeOf(page, site) {
  await page.click(`[data-site="${site}"] [data-testid="tile-menu"]`);
  await page.click('.menu [data-testid="act-remove"]');
}

const folder = new URL('../shots/', import.meta.url).pathname;
mkdirSync(folder, { recursive: true });
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const server = await createServer({ server: { port: 0, host: '127.0.0.1' }, logLevel: 'error' });
await server.listen();
const base = `http://127.0.0.1:${server.httpServer.address().port}/dev/mock.html`;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--use-fake-device-for-media-stream=fps=10',
    '--use-fake-ui-for-media-stream',
    '--allow-loopback-in-peer-connection',
    '--autoplay-policy=no-user-gesture-required',
  ],
});
const wanted = process.argv.slice(2);
let serious = 0;
for (const [name, sizes, query, act] of SHOTS) {
  for (const size of sizes) {
    const id = `${name}-${size}`;
    if (wanted.length > 0 && !wanted.some(part => id.includes(part))) continue;
    const [width, height] = SIZES[size];
    const context = await browser.newContext({ viewport: { width, height } });
    const page = await context.newPage();
    page.on('pageerror', error => console.log(id, 'ERROR', error.message));
    page.on('console', message => message.type() !== 'debug' && console.log(id, message.text()));
    await page.goto(base + query);
    await page.waitForTimeout(3500);
    await act?.(page);
    await page.waitForTimeout(700);
    await page.screenshot({ path: `${folder}${id}.png` });
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    for (const { id: rule, impact, nodes } of violations) {
      if (impact === 'serious' || impact === 'critical') serious += 1;
      console.log(
        id,
        'AXE',
        impact,
        rule,
        nodes[0].html.slice(0, 140),
        nodes[0].failureSummary.slice(0, 200),
      );
    }
    await context.close();
  }
}
await browser.close();
await server.close();
process.exitCode = serious > 0 ? 1 : 0;
