/** The bridge under test: a process of our own, ended by its pid. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lanAddress, Nat } from './nat.mjs';
import { pause, until } from './runner.mjs';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const GONE_MS = 15_000;

function binary() {
  return process.env.NHIPCAU ?? built('nhipcau', '-p signaling --bin nhipcau');
}

/** Something that cargo has built. */
export function built(name, how) {
  const target = process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target');
  const path = join(resolve(ROOT, target), 'debug', name);
  if (!existsSync(path)) throw new Error(`${path} is missing: cargo build ${how}`);
  return path;
}

/** Sites of a served meeting: the chair's first. Tokens are what links carry. */
export const CHAIR = {
  name: 'Huyện Long Thành',
  token: 'kiem-thu-huyen-long-thanh-dong-nai-0',
  role: 'chair',
};
export const AN_PHUOC = { name: 'An Phước', token: 'kiem-thu-xa-an-phuoc-dong-nai-1' };
export const BINH_SON = { name: 'Bình Sơn', token: 'kiem-thu-xa-binh-son-dong-nai-2' };
const MEDIA = '127.0.0.1';
const TITLE = 'Họp kiểm thử';

/** `nhipcau serve` on free ports of 127.0.0.1 that stay the same over `restart`; perhaps behind a NAT. */
export class Server {
  constructor({ behindNat = false } = {}) {
    this.natAddress = behindNat ? lanAddress() : undefined;
    this.folder = mkdtempSync(join(tmpdir(), 'nhipcau-browser-'));
  }

  async start() {
    const [http, https, metrics, media] = await freePorts(4);
    this.ports = { http, https, metrics, media };
    this.origin = `http://127.0.0.1:${http}`;
    this.config = join(this.folder, 'nhipcau.toml');
    mkdirSync(join(this.folder, 'data'));
    this.configure();
    if (this.natAddress !== undefined) {
      this.nat = new Nat(this.natAddress, MEDIA, media);
      await this.nat.start();
    }
    await this.launch();
    return this;
  }

  configure() {
    const { http, https, metrics, media } = this.ports;
    const sites = [CHAIR, AN_PHUOC, BINH_SON].map(
      ({ name, token, role }) =>
        `  { name = "${name}", token = "${token}"${role ? `, role = "${role}"` : ''} },`,
    );
    writeFileSync(
      this.config,
      [
        `http = "127.0.0.1:${http}"`,
        `https = "127.0.0.1:${https}"`,
        `metrics = "127.0.0.1:${metrics}"`,
        `data = "${join(this.folder, 'data')}"`,
        'drain_seconds = 1',
        `[media]\nport = ${media}\nadvertise = ["${this.natAddress ?? MEDIA}"]\nlisten = ["${MEDIA}"]\nworkers = 1`,
        `[[meetings]]\ntitle = "${TITLE}"\nsites = [\n${sites.join('\n')}\n]`,
      ].join('\n'),
    );
  }

  /** From the next start on media is elsewhere. */
  async moveMedia() {
    [this.ports.media] = await freePorts(1);
    this.configure();
  }

  async launch() {
    this.process = run(['serve', '--config', this.config]);
    await until('the server answers', async () => {
      if (this.process.exitCode !== null) throw new Error(`the server ended: ${this.process.log}`);
      return fetch(this.origin).then(
        answer => answer.ok,
        () => false,
      );
    });
  }

  link(site) {
    return `${this.origin}/#${site.token}`;
  }

  get log() {
    return this.process?.log ?? '';
  }

  /** SIGTERM; the exit code, which must be 0. */
  stop() {
    return end(this.process);
  }

  /** SIGKILL: no word to anybody. */
  async kill() {
    const gone = new Promise(resolve => this.process.once('exit', resolve));
    this.process.kill('SIGKILL');
    await gone;
  }

  /** Stands still for a while, as a host that swaps or moves does. */
  async freeze(ms) {
    this.process.kill('SIGSTOP');
    await pause(ms);
    this.process.kill('SIGCONT');
  }

  async close() {
    this.process?.kill('SIGCONT');
    if (this.process !== undefined) await end(this.process);
    await this.nat?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** `nhipcau demo --json`: the server with four headless sites. */
export class Demo {
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'nhipcau-demo-'));
  }

  async start() {
    const local = ['--http', '--https', '--metrics'].flatMap(flag => [flag, '127.0.0.1:0']);
    this.process = run(['demo', '--json', ...local, '--data', this.folder]);
    const line = await until('the demo announces itself', () => {
      if (this.process.exitCode !== null) throw new Error(`the demo ended: ${this.process.log}`);
      return this.process.firstLine;
    });
    this.announcement = JSON.parse(line);
    return this;
  }

  get log() {
    return this.process?.log ?? '';
  }

  async close() {
    if (this.process !== undefined) await end(this.process);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function run(args) {
  const child = spawn(binary(), args, { stdio: ['ignore', 'pipe', 'pipe'] });
  child.log = '';
  let out = '';
  child.stdout.on('data', data => {
    out += data;
    child.firstLine ??= out.includes('\n') ? out.slice(0, out.indexOf('\n')) : undefined;
  });
  child.stderr.on('data', data => {
    child.log = (child.log + data).slice(-20_000);
  });
  return child;
}

export async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const gone = new Promise(resolve => child.once('exit', code => resolve(code)));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), GONE_MS);
  const code = await gone;
  clearTimeout(timer);
  return code;
}

/** Ports that are free for TCP just now; all are held until all are known, so that they differ. */
async function freePorts(count) {
  const held = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = held.map(server => server.address().port);
  await Promise.all(held.map(server => new Promise(resolve => server.close(resolve))));
  return ports;
}
