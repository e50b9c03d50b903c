// Records real offers, or shows a browser our answers to them:
//   node record.mjs [chromium|firefox] record   writes <client>.offer.sdp beside this folder
//   node record.mjs [chromium|firefox] check    makes a fresh offer, lets `cargo run --example
//                                               answer` answer it, and sets the answer
// Needs playwright-core (Chromium) or puppeteer-core (Firefox) where Node finds them.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const here = new URL('.', import.meta.url).pathname;
const require = createRequire(join(process.cwd(), 'x.js'));
const script = readFileSync(join(here, 'offer.js'), 'utf8');

async function chromium(url) {
  const { chromium } = require('playwright-core');
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    headless: true,
    args: ['--no-sandbox', '--headless=new', '--disable-gpu',
      '--use-fake-device-for-media-stream=fps=30', '--use-fake-ui-for-media-stream',
      '--allow-loopback-in-peer-connection', '--no-first-run'],
  });
  const context = await browser.newContext({ permissions: ['camera', 'microphone'] });
  const page = await context.newPage();
  await page.goto(url);
  return { page, close: () => browser.close() };
}

async function firefox(url) {
  const puppeteer = require('puppeteer-core');
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: '/usr/bin/firefox-esr',
    headless: true,
    env: { ...process.env, HOME: mkdtempSync(join(tmpdir(), 'firefox-home-')) },
    extraPrefsFirefox: {
      'media.navigator.streams.fake': true,
      'media.navigator.permission.disabled': true,
      'media.peerconnection.ice.loopback': true,
      'media.peerconnection.ice.obfuscate_host_addresses': false,
      'media.autoplay.default': 0,
    },
  });
  const page = await browser.newPage();
  await page.goto(url);
  return { page, close: () => browser.close() };
}

// ANSWER may name the built example, so that no build stands in the way.
const answerOf = (offer, previous = []) => {
  const cargo = ['cargo', 'run', '-q', '-p', 'tests', '--example', 'answer', '--'];
  const [command, ...args] = process.env.ANSWER ? [process.env.ANSWER] : cargo;
  return execFileSync(command, [...args, ...previous], { input: offer, cwd: here, encoding: 'utf8' });
};

async function check(page, options) {
  const offer = await page.evaluate((o) => window.makeOffer(o), options);
  const answer = answerOf(offer);
  const taken = await page.evaluate((a) => window.takeAnswer(a), answer);
  const file = join(mkdtempSync(join(tmpdir(), 'offer-')), 'first.sdp');
  writeFileSync(file, offer);
  const second = answerOf(taken.again, [file]);
  await page.evaluate((sdp) => window.pc.setRemoteDescription({ type: 'answer', sdp }), second);
  console.log(options.limited ? 'limited' : 'all codecs', offer.length, 'B answered by', answer.length, 'B');
  console.log(JSON.stringify(taken.directions), JSON.stringify(taken.layers));
  console.log('second offer answered and set:', await page.evaluate(() => window.pc.signalingState));
}

async function record(page, name, options) {
  const offer = await page.evaluate((o) => window.makeOffer(o), options);
  const file = `${name}${options.limited ? '-limited' : ''}.offer.sdp`;
  writeFileSync(join(here, '..', file), offer);
  console.log(file, offer.length);
}

const [name, what] = process.argv.slice(2);
const server = createServer((_, response) => {
  response.setHeader('content-type', 'text/html');
  response.end(`<!doctype html><script>${script}</script>`);
}).listen(0, '127.0.0.1');
await new Promise((done) => server.once('listening', done));
const open = { chromium, firefox }[name];
const { page, close } = await open(`http://127.0.0.1:${server.address().port}/`);
try {
  for (const limited of [false, true]) {
    const options = { limited, pairs: 4, voices: 3 };
    // What we reject must not spoil the rest.
    if (what === 'check') await check(page, { ...options, data: true });
    else await record(page, name, options);
  }
} finally {
  await close();
  server.close();
}
