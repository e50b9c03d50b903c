import type { View } from './pages';
import { type Scene, sourceKey, type VideoSource } from './tiles';

/** CSS pixels. */
export interface Area {
  width: number;
  height: number;
}

export interface Placed {
  source: VideoSource;
  role: 'stage' | 'tile';
  x: number;
  y: number;
  width: number;
  height: number;
}

const ASPECT = 16 / 9;
/** Below this a face is not recognised on a phone; the rest is on other pages. */
const SMALLEST_TILE = 148;
/** Beside a large tile the others only show which sites are there. */
const SMALLEST_STRIP_TILE = 104;
/** The strip takes at most this part of a wide screen. */
const STRIP_SHARE = 0.34;
/** On a tall screen the large tile takes at most this part of the height. */
const STAGE_SHARE = 0.6;

type Box = Area & { x: number; y: number };

interface Cells {
  columns: number;
  rows: number;
  width: number;
  height: number;
}

/** A place for every source of the view. Pure arithmetic: the view only copies the numbers. */
export function arrange(view: Pick<View, 'stage' | 'others'>, area: Area, gap: number): Placed[] {
  const { stage, others } = view;
  if (area.width <= 0 || area.height <= 0) return [];
  if (stage === null) return placeCells(others, largestCells(others.length, area, gap), at(0, 0, area), gap);
  return isWide(area) ? stageBeside(stage, others, area, gap) : stageAbove(stage, others, area, gap);
}

/** How many sources of a scene, beside the large one, have room at a size that can be recognised. */
export function placesFor(scene: Scene, area: Area, gap: number): number {
  if (area.width <= 0 || area.height <= 0) return Number.POSITIVE_INFINITY;
  if (scene.stage === null) return fitting(area, gap, SMALLEST_TILE);
  const box = isWide(area) ? stripBeside(area) : boxBelow(area, gap);
  return fitting(box, gap, SMALLEST_STRIP_TILE);
}

const isWide = (area: Area) => area.width > area.height * 1.15;
const at = (x: number, y: number, area: Area): Box => ({ x, y, ...area });

function fitting(area: Area, gap: number, smallest: number): number {
  const columns = Math.floor((area.width + gap) / (smallest + gap));
  const rows = Math.floor((area.height + gap) / (smallest / ASPECT + gap));
  return Math.max(1, columns) * Math.max(1, rows);
}

/** The number of columns that makes tiles largest; among equals the one with the fewest free cells. */
export function largestCells(count: number, area: Area, gap: number): Cells {
  let best: Cells = { columns: 1, rows: Math.max(1, count), width: 0, height: 0 };
  for (let columns = 1; columns <= Math.max(1, count); columns++) {
    const rows = Math.ceil(count / columns);
    const widest = (area.width - gap * (columns - 1)) / columns;
    const tallest = (area.height - gap * (rows - 1)) / rows;
    const width = Math.floor(Math.min(widest, tallest * ASPECT));
    const fuller = columns * rows <= best.columns * best.rows;
    if (width > best.width || (width === best.width && fuller))
      best = { columns, rows, width, height: Math.floor(width / ASPECT) };
  }
  return best;
}

/** Rows of cells in the middle of the box; the last row is centred, free places included. */
function placeCells(sources: (VideoSource | null)[], cells: Cells, box: Box, gap: number): Placed[] {
  const total = cells.rows * (cells.height + gap) - gap;
  const top = box.y + Math.max(0, (box.height - total) / 2);
  return sources.flatMap((source, index): Placed[] => {
    if (source === null) return [];
    const row = Math.floor(index / cells.columns);
    const inRow = Math.min(cells.columns, sources.length - row * cells.columns);
    const left = box.x + (box.width - (inRow * (cells.width + gap) - gap)) / 2;
    const x = Math.round(left + (index % cells.columns) * (cells.width + gap));
    const y = Math.round(top + row * (cells.height + gap));
    return [{ source, role: 'tile', x, y, width: cells.width, height: cells.height }];
  });
}

function onStage(source: VideoSource, width: number, height: number): Placed {
  return { source, role: 'stage', x: 0, y: 0, width: Math.floor(width), height: Math.floor(height) };
}

const stripBeside = (area: Area): Area => ({ width: area.width * STRIP_SHARE, height: area.height });

const stageHeight = (area: Area) => Math.min(area.width / ASPECT, area.height * STAGE_SHARE);

function boxBelow(area: Area, gap: number): Box {
  const y = stageHeight(area) + gap;
  return { x: 0, y, width: area.width, height: area.height - y };
}

/** Wide screens: the large tile at the left, the strip at the right in as few columns as fit. */
function stageBeside(stage: VideoSource, others: View['others'], area: Area, gap: number): Placed[] {
  if (others.length === 0) return [onStage(stage, area.width, area.height)];
  let cells = largestCells(others.length, stripBeside(area), gap);
  // Few sites must not make a strip as wide as the stage would be tall.
  const widest = Math.floor((area.height / 3.4) * ASPECT);
  if (cells.width > widest) cells = { ...cells, width: widest, height: Math.floor(widest / ASPECT) };
  const stripWidth = cells.columns * (cells.width + gap) - gap;
  const stageWidth = area.width - stripWidth - gap;
  const box = { x: stageWidth + gap, y: 0, width: stripWidth, height: area.height };
  return [onStage(stage, stageWidth, area.height), ...placeCells(others, cells, box, gap)];
}

/** Tall screens: the large tile on top, the others below it. */
function stageAbove(stage: VideoSource, others: View['others'], area: Area, gap: number): Placed[] {
  const box = boxBelow(area, gap);
  const cells = largestCells(others.length, box, gap);
  return [onStage(stage, area.width, stageHeight(area)), ...placeCells(others, cells, box, gap)];
}

/** Cut off at most: a frame of 16:10 loses a tenth, which does not matter; one of 4:3 a quarter, and with it heads. */
const CUT_OFF = 0.12;

/** Whether a frame fills its tile when little of it is cut off; before the first one it is taken to. */
export function fills(frame: Area | null, tile: Area): boolean {
  if (frame === null || frame.width === 0 || frame.height === 0) return true;
  const ratio = (frame.width * tile.height) / (frame.height * tile.width);
  return Math.min(ratio, 1 / ratio) >= 1 - CUT_OFF;
}

/**
 * A small change asks nothing new; and the heights that cameras have (180, 240, 270, 360, 480, 540, 720, 960, 1080) are
 * such steps, so that no layer is asked for that is larger than its tile only because of the step.
 */
const HEIGHT_STEP = 30;

/** Height in real pixels of each source's tile, in steps. */
export function pixelHeights(placed: Placed[], pixelRatio: number): Map<string, number> {
  const heights = placed.map((tile): [string, number] => [
    sourceKey(tile.source),
    Math.ceil((tile.height * pixelRatio) / HEIGHT_STEP) * HEIGHT_STEP,
  ]);
  return new Map(heights);
}
