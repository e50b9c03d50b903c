/**
 * What two real pages hear and see of each other, one behind a line of the laboratory: into the section "In browsers" of
 * CONFORMANCE.md. Arguments name lines by a part of their names; then the rows are printed and not written.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onlyUdpTo } from './lib/probe.mjs';
import { pause } from './lib/runner.mjs';
import { AN_PHUOC, CHAIR } from './lib/server.mjs';
import { decoded, installRecorder, speech } from './lib/speech.mjs';
import { RATE, stoi } from './lib/stoi.mjs';
import { closeBrowsers, World } from './lib/world.mjs';

const PAGE = fileURLToPath(new URL('../../CONFORMANCE.md', import.meta.url));
const HEADING = '\n## In browsers\n';
const SETTLES_MS = 6_000;
const LASTS_MS = 21_000;

/** Orders to the relay, which is clean before each. A clean line is first and last: what it shows is the machine. */
const LINES = [
  ['clean', ''],
  ['5 % random, RTT 100', 'set both loss 0.05 delay 50'],
  ['30 % random, RTT 60', 'set both loss 0.3 delay 30'],
  ['45 % random, RTT 60', 'set both loss 0.45 delay 30'],
  ['20 % bursty, RTT 60', 'set both bursts 0.2 delay 30'],
  ['2 Mbit/s, RTT 60', 'set both rate 2000000 queue 300 delay 30'],
  ['512 kbit/s, RTT 60', 'set both rate 512000 queue 300 delay 30'],
  ['128 kbit/s, RTT 60', 'set both rate 128000 queue 300 delay 30'],
  ['64 kbit/s, RTT 60', 'set both rate 64000 queue 300 delay 30'],
  ['clean again', ''],
];

const COLUMNS = [
  'line',
  'STOI down / up',
  'concealed down / up',
  'listener waits down / up',
  'picture here: fps, lines, longest freeze',
  'queue p95 / max',
  'offered / carried, kbit/s',
];

const wanted = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'nhipcau-speech-'));
const world = new World('conformance');
try {
  const rows = await measure(
    LINES.filter(([name]) => wanted.length === 0 || wanted.some(part => name.includes(part))),
  );
  const section = table(rows);
  console.log(section);
  if (wanted.length === 0) write(section);
} finally {
  await world.close();
  await closeBrowsers();
  rmSync(folder, { recursive: true, force: true });
}

async function measure(lines) {
  const voices = { hall: speech(folder, 'slt'), commune: speech(folder, 'rms') };
  const server = await world.server();
  const relay = await world.lab(server);
  const recorder = [installRecorder, { rate: RATE }];
  const hall = await world.participant('hall', { init: [recorder], audio: voices.hall.file });
  const init = [recorder, [onlyUdpTo, relay.udpPort]];
  const commune = await world.participant('commune', { init, audio: voices.commune.file });
  await hall.join(server.link(CHAIR));
  await commune.join(relay.link(AN_PHUOC));
  await commune.sees(CHAIR, 'hall');
  await hall.sees(AN_PHUOC, 'commune');
  for (const { page } of [hall, commune]) await page.evaluate(() => window.recording.start());
  const site = await commune.siteId(CHAIR);
  const rows = [];
  for (const [name, order] of lines) {
    await relay.tell('clean');
    await pause(SETTLES_MS);
    if (order !== '') await relay.tell(order);
    await pause(SETTLES_MS);
    rows.push({ name, ...(await during(relay, { hall, commune, site, voices })) });
    console.log(JSON.stringify(rows.at(-1)));
  }
  return rows;
}

async function during(relay, { hall, commune, site, voices }) {
  const [here, there] = [commune.page, hall.page];
  const look = () => Promise.all([here, there].map(page => page.evaluate(counters)));
  for (const page of [here, there]) await page.evaluate(() => void window.recording.take());
  await relay.tell('mark');
  const [before, from] = [await look(), await here.evaluate(() => performance.now())];
  await here.evaluate(
    id => void window.probe.framesOf(window.probe.tileOf(id, 'camera').querySelector('video')),
    site,
  );
  await pause(LASTS_MS);
  const after = await look();
  const report = await relay.tell('report');
  const heard = await Promise.all([here, there].map(page => page.evaluate(() => window.recording.take())));
  const shown = await here.evaluate(
    ([id, from]) => {
      const video = window.probe.tileOf(id, 'camera').querySelector('video');
      const times = [from, ...window.probe.framesOf(video).filter(at => at > from), performance.now()];
      return { lines: video.videoHeight, freeze: Math.max(...times.slice(1).map((at, n) => at - times[n])) };
    },
    [site, from],
  );
  const spoken = [voices.hall.samples, voices.commune.samples];
  const changeOf = at => key => after[at][key] - before[at][key];
  const ears = [0, 1].map(at => {
    const change = changeOf(at);
    return {
      stoi: stoi(spoken[at], decoded(heard[at])),
      concealed: change('concealed') / change('samples'),
      waits: (change('waited') / change('emitted')) * 1000,
    };
  });
  const fps = changeOf(0)('decoded') / (LASTS_MS / 1000);
  return { down: ears[0], up: ears[1], fps, ...shown, line: report.down };
}

/** Inside the page: what its browser has counted of all that it received. */
async function counters() {
  const stats = [...(await window.nhipcau.pc.getStats()).values()].filter(
    ({ type }) => type === 'inbound-rtp',
  );
  const sum = (kind, key) =>
    stats.filter(one => one.kind === kind).reduce((all, one) => all + (one[key] ?? 0), 0);
  // Concealed silence of slots without a voice is none.
  const voiced = stats.filter(one => one.kind === 'audio' && one.packetsReceived > 0);
  const of = key => voiced.reduce((all, one) => all + (one[key] ?? 0), 0);
  return {
    concealed: of('concealedSamples') - of('silentConcealedSamples'),
    samples: of('totalSamplesReceived'),
    waited: of('jitterBufferDelay'),
    emitted: of('jitterBufferEmittedCount'),
    decoded: sum('video', 'framesDecoded'),
  };
}

function percent(share) {
  return `${(share * 100).toFixed(1)} %`;
}

function table(rows) {
  const cells = ({ name, down, up, fps, lines, freeze, line }) => [
    name,
    `${down.stoi.toFixed(3)} / ${up.stoi.toFixed(3)}`,
    `${percent(down.concealed)} / ${percent(up.concealed)}`,
    `${down.waits.toFixed(0)} / ${up.waits.toFixed(0)} ms`,
    `${fps.toFixed(0)}, ${lines}, ${freeze.toFixed(0)} ms`,
    `${line.queue_ms.p95.toFixed(0)} / ${line.queue_ms.max.toFixed(0)} ms`,
    `${(line.offered_bps / 1000).toFixed(0)} / ${(line.carried_bps / 1000).toFixed(0)}`,
  ];
  const row = columns => `| ${columns.join(' | ')} |`;
  const rule = COLUMNS.map((_, at) => (at === 0 ? '---' : '--:'));
  return [
    HEADING,
    'Two pages in Chromium, the chair and a site behind a relay that is a line of the laboratory by the clock; both speak all the',
    'time (`tests/browser/conformance.mjs`). STOI is of what the browser played against what was spoken. A clean line is first and last:',
    'what it shows is the machine.',
    '',
    row(COLUMNS),
    `|${rule.join('|')}|`,
    ...rows.map(cells).map(row),
    '',
  ].join('\n');
}

function write(section) {
  const page = readFileSync(PAGE, 'utf8');
  const [rest] = page.split(HEADING);
  writeFileSync(PAGE, rest + section);
}
