import { type Picture, pictureKey, type Scene } from './tiles';

/** CSS pixels. */
export interface Area {
  width: number;
  height: number;
}

export interface Placed {
  picture: Picture;
  role: 'stage' | 'tile';
  x: number;
  y: number;
  width: number;
  height: number;
}

/** All pictures with their places, and how tall the whole is (taller than the area: it scrolls). */
export interface Arrangement {
  placed: Placed[];
  height: number;
}

const ASPECT = 16 / 9;
/** Below this a face is not recognised on a phone; the rest scrolls. */
const SMALLEST_TILE = 148;
/** The strip takes at most this part of a wide screen. */
const STRIP_SHARE = 0.34;

interface Cells {
  columns: number;
  rows: number;
  width: number;
  height: number;
}

/** A place for every picture. Pure arithmetic: the view only copies the numbers. */
export function arrange(scene: Scene, area: Area, gap: number): Arrangement {
  if (area.width <= 0 || area.height <= 0) return { placed: [], height: 0 };
  if (scene.stage === null) return grid(scene.others, area, gap);
  return area.width > area.height * 1.15
    ? stageBeside(scene.stage, scene.others, area, gap)
    : stageAbove(scene.stage, scene.others, area, gap);
}

/** The number of columns that makes tiles largest. */
export function largestCells(count: number, area: Area, gap: number): Cells {
  let best: Cells = { columns: 1, rows: Math.max(1, count), width: 0, height: 0 };
  for (let columns = 1; columns <= Math.max(1, count); columns++) {
    const rows = Math.ceil(count / columns);
    const widest = (area.width - gap * (columns - 1)) / columns;
    const tallest = (area.height - gap * (rows - 1)) / rows;
    const width = Math.floor(Math.min(widest, tallest * ASPECT));
    if (width >= best.width) best = { columns, rows, width, height: Math.floor(width / ASPECT) };
  }
  return best;
}

function grid(pictures: Picture[], area: Area, gap: number): Arrangement {
  let cells = largestCells(pictures.length, area, gap);
  if (cells.width < Math.min(SMALLEST_TILE, area.width)) cells = scrolling(pictures.length, area, gap);
  return placeCells(pictures, cells, { x: 0, y: 0, ...area }, gap);
}

function scrolling(count: number, area: Area, gap: number): Cells {
  const columns = Math.max(1, Math.floor((area.width + gap) / (SMALLEST_TILE + gap)));
  const width = Math.floor((area.width - gap * (columns - 1)) / columns);
  return { columns, rows: Math.ceil(count / columns), width, height: Math.floor(width / ASPECT) };
}

/** Rows of cells in the middle of the box; the last row is centred. */
function placeCells(
  pictures: Picture[],
  cells: Cells,
  box: Area & { x: number; y: number },
  gap: number,
): Arrangement {
  const total = cells.rows * (cells.height + gap) - gap;
  const top = box.y + Math.max(0, (box.height - total) / 2);
  const placed = pictures.map((picture, index): Placed => {
    const row = Math.floor(index / cells.columns);
    const inRow = Math.min(cells.columns, pictures.length - row * cells.columns);
    const left = box.x + (box.width - (inRow * (cells.width + gap) - gap)) / 2;
    return {
      picture,
      role: 'tile',
      x: Math.round(left + (index % cells.columns) * (cells.width + gap)),
      y: Math.round(top + row * (cells.height + gap)),
      width: cells.width,
      height: cells.height,
    };
  });
  return { placed, height: Math.max(box.y + box.height, Math.ceil(top + total)) };
}

function onStage(picture: Picture, x: number, width: number, height: number): Placed {
  return {
    picture,
    role: 'stage',
    x: Math.round(x),
    y: 0,
    width: Math.floor(width),
    height: Math.floor(height),
  };
}

/** Wide screens: the large picture at the left, the strip at the right in as few columns as fit. */
function stageBeside(stage: Picture, others: Picture[], area: Area, gap: number): Arrangement {
  if (others.length === 0)
    return { placed: [onStage(stage, 0, area.width, area.height)], height: area.height };
  const share = { width: area.width * STRIP_SHARE, height: area.height };
  const least = Math.min(4, others.length);
  let cells = largestCells(Math.max(least, others.length), share, gap);
  // Few sites must not make a strip as wide as the stage would be tall.
  const widest = Math.floor((area.height / 3.4) * ASPECT);
  if (cells.width > widest) cells = { ...cells, width: widest, height: Math.floor(widest / ASPECT) };
  if (cells.width < SMALLEST_TILE * 0.7) cells = scrolling(others.length, share, gap);
  const stripWidth = cells.columns * (cells.width + gap) - gap;
  const stageWidth = area.width - stripWidth - gap;
  const box = { x: stageWidth + gap, y: 0, width: stripWidth, height: area.height };
  const strip = placeCells(others, cells, box, gap);
  return { placed: [onStage(stage, 0, stageWidth, area.height), ...strip.placed], height: strip.height };
}

/** Tall screens: the large picture on top, the others below it. */
function stageAbove(stage: Picture, others: Picture[], area: Area, gap: number): Arrangement {
  const height = Math.min(area.width / ASPECT, area.height * 0.6);
  const below = { x: 0, y: height + gap, width: area.width, height: area.height - height - gap };
  let cells = largestCells(others.length, below, gap);
  if (cells.width < SMALLEST_TILE) cells = scrolling(others.length, below, gap);
  const strip = placeCells(others, cells, below, gap);
  return { placed: [onStage(stage, 0, area.width, height), ...strip.placed], height: strip.height };
}

/** Height in real pixels of each picture's tile, in steps so that a small change asks nothing new. */
export function pixelHeights(arrangement: Arrangement, pixelRatio: number): Map<string, number> {
  const STEP = 90;
  const heights = arrangement.placed.map((tile): [string, number] => [
    pictureKey(tile.picture),
    Math.min(2160, Math.ceil((tile.height * pixelRatio) / STEP) * STEP),
  ]);
  return new Map(heights);
}
