/** What the fake cameras see and the fake microphones hear: a colour and a tone for each place. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Colours far apart in RGB, tones no harmonics of each other. Hz. */
export const PLACES = {
  hall: { colour: [200, 30, 30], tone: 440 },
  commune: { colour: [30, 170, 40], tone: 1000 },
  village: { colour: [30, 50, 210], tone: 1630 },
};
/** What a shared document shows: none of the cameras' colours. The browsers share
 * the tab of this title; Chromium reads no other letters than ASCII there. */
export const CONTENT_COLOUR = [230, 200, 20];
export const CONTENT_TITLE = 'tai-lieu-hop';
export const COLOURS = {
  ...Object.fromEntries(Object.entries(PLACES).map(([place, { colour }]) => [place, colour])),
  content: CONTENT_COLOUR,
};

const folder = mkdtempSync(join(tmpdir(), 'nhipcau-media-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** Files for Chromium's fake devices. A white block runs below, so that no two frames are alike. */
export function mediaFor(place) {
  const { colour, tone } = PLACES[place];
  const video = join(folder, `${place}.y4m`);
  const audio = join(folder, `${place}.wav`);
  const hex = colour.map(part => part.toString(16).padStart(2, '0')).join('');
  const block = "overlay=x='mod(n*40,1200)':y=600";
  ffmpeg(
    '-f',
    'lavfi',
    '-i',
    `color=c=0x${hex}:s=1280x720:r=30:d=1`,
    '-f',
    'lavfi',
    '-i',
    'color=c=white:s=80x80:r=30:d=1',
    '-filter_complex',
    `[0][1]${block}`,
    '-pix_fmt',
    'yuv420p',
    video,
  );
  ffmpeg(
    '-f',
    'lavfi',
    '-i',
    `sine=frequency=${tone}:sample_rate=48000:duration=10`,
    '-af',
    'volume=4',
    audio,
  );
  return { video, audio };
}

function ffmpeg(...args) {
  execFileSync('ffmpeg', ['-loglevel', 'error', '-y', ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
}
