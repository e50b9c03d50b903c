/**
 * Firefox as Debian ships it, with one page, over WebDriver BiDi: Playwright's Firefox is another one.
 * The page has as much of Playwright's interface as `Participant` and the stories need.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import WebSocket from 'ws';
import { until } from './runner.mjs';

const START_MS = 30_000;

/** Fake devices, no questions, loopback: what Chromium's flags do. */
const preferences = tone => ({
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.navigator.audio.fake_frequency': tone,
  'media.peerconnection.ice.loopback': true,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'media.autoplay.default': 0,
  'browser.shell.checkDefaultBrowser': false,
  'datareporting.policy.dataSubmissionEnabled': false,
});

export class Firefox {
  constructor({ tone }) {
    this.folder = mkdtempSync(join(tmpdir(), 'nhipcau-firefox-'));
    const profile = join(this.folder, 'profile');
    mkdirSync(profile);
    const lines = Object.entries(preferences(tone)).map(
      ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
    );
    writeFileSync(join(profile, 'user.js'), lines.join('\n'));
    const args = [
      '--headless',
      '--no-remote',
      '--profile',
      profile,
      '--remote-debugging-port',
      '0',
      'about:blank',
    ];
    this.process = spawn(process.env.FIREFOX ?? '/usr/bin/firefox-esr', args, {
      env: { ...process.env, HOME: this.folder },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.words = '';
    this.process.stderr.on('data', data => {
      this.words += data;
    });
    this.answers = new Map();
    this.listeners = new Map();
  }

  /** Starts it and returns its page; `init`: functions for the page, each with its argument. */
  async start(init) {
    const [, address] = await until(
      'Firefox listens',
      () => /WebDriver BiDi listening on (ws:\S+)/.exec(this.words),
      START_MS,
    );
    this.socket = new WebSocket(`${address}/session`);
    await new Promise((resolve, reject) => this.socket.once('open', resolve).once('error', reject));
    this.socket.on('message', text => this.receive(JSON.parse(text)));
    await this.command('session.new', { capabilities: {} });
    await this.command('session.subscribe', { events: ['log.entryAdded'] });
    const { context } = await this.command('browsingContext.create', { type: 'tab' });
    this.context = context;
    await this.command('browsingContext.setViewport', { context, viewport: { width: 1280, height: 720 } });
    for (const [script, argument] of init)
      await this.command('script.addPreloadScript', {
        // It also runs in the empty page before the first address, which has no storage.
        functionDeclaration: `() => origin !== 'null' && (${script})(${JSON.stringify(argument)})`,
      });
    return this;
  }

  command(method, params) {
    const id = this.answers.size + 1;
    this.socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve, reject) => this.answers.set(id, { resolve, reject }));
  }

  receive({ id, result, error, message, method, params }) {
    if (method === 'log.entryAdded' && params.level === 'error')
      this.listeners.get('pageerror')?.(new Error(params.text));
    const answer = this.answers.get(id);
    if (error !== undefined) answer?.reject(new Error(`${error}: ${message}`));
    else answer?.resolve(result);
  }

  on(event, listener) {
    this.listeners.set(event, listener);
  }

  goto(url) {
    return this.command('browsingContext.navigate', { context: this.context, url, wait: 'complete' });
  }

  /** What `ask` returns in the page, as JSON. */
  async evaluate(ask, argument) {
    const { result, exceptionDetails } = await this.command('script.evaluate', {
      expression: `(async () => JSON.stringify(await (${ask})(${JSON.stringify(argument)})))()`,
      target: { context: this.context },
      awaitPromise: true,
      userActivation: true,
    });
    if (exceptionDetails !== undefined) throw new Error(exceptionDetails.text);
    return result.value === undefined ? undefined : JSON.parse(result.value);
  }

  async click(selector) {
    await until(`${selector} is there`, () =>
      this.evaluate(selector => document.querySelector(selector) !== null, selector),
    );
    await this.evaluate(selector => document.querySelector(selector).click(), selector);
  }

  async screenshot({ path }) {
    const { data } = await this.command('browsingContext.captureScreenshot', { context: this.context });
    writeFileSync(path, Buffer.from(data, 'base64'));
  }

  async close() {
    const gone = new Promise(resolve => this.process.once('exit', resolve));
    this.process.kill('SIGTERM');
    await gone;
    this.socket?.terminate();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
