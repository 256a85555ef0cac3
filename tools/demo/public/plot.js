// A line plot of the last minute on a canvas. Colours and font come from the style sheet, so they follow the scheme.
import { linearScale, logScale } from './plot-scale.js';

const WINDOW_MS = 60_000;
const GUTTER = 50;
const FOOT = 20;
const HEAD = 10;
const RIGHT = 8;
/** How far an axis moves towards its new end with each picture. */
const EASE = 0.35;

/**
 * @typedef {{ at: number, values: readonly number[] }} Point NaN: a gap
 * @typedef {{
 *   colors: readonly string[], filled: boolean, logarithmic: boolean, format: (value: number) => string, tick: (value: number) => string,
 * }} PlotOptions `colors`: names of CSS variables, one for each series, the most important series last
 */

export class Plot {
  #canvas;
  #context;
  #options;
  /** @type {Point[]} */
  #points = [];
  /** The axis as drawn, in the units of `#position`. @type {{ low: number, high: number } | undefined} */
  #axis;
  /** @type {number | undefined} */
  #pointerX;
  #now = 0;
  #style = { font: '', grid: '', muted: '', text: '', surface: '', series: /** @type {string[]} */ ([]) };

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {PlotOptions} options
   */
  constructor(canvas, options) {
    const context = canvas.getContext('2d');
    if (context === null) throw new Error('this browser has no 2d canvas');
    this.#canvas = canvas;
    this.#context = context;
    this.#options = options;
    canvas.addEventListener('pointermove', ({ offsetX }) => this.#point(offsetX));
    canvas.addEventListener('pointerleave', () => this.#point(undefined));
    new ResizeObserver(() => this.draw(this.#now, true)).observe(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw(this.#now, true));
  }

  /** @param {Point} point newer than those before */
  add(point) {
    this.#points.push(point);
    const oldest = point.at - WINDOW_MS - 2_000;
    while ((this.#points[0]?.at ?? Infinity) < oldest) this.#points.shift();
  }

  /** @param {number | undefined} x */
  #point(x) {
    this.#pointerX = x;
    this.draw(this.#now, true);
  }

  /**
   * @param {number} now the moment at the right edge
   * @param {boolean} settle put the axis where it belongs instead of moving it there
   */
  draw(now, settle) {
    this.#now = now;
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    if (width === 0 || height === 0) return;
    if (settle) this.#readStyle();
    const c = this.#context;
    fit(this.#canvas, c, width, height);
    c.font = this.#style.font;

    const left = GUTTER;
    const right = width - RIGHT;
    const bottom = height - FOOT;
    const { ticks, low, high } = this.#scale(Math.max(2, Math.floor((bottom - HEAD) / 34)));
    const axis = settle || this.#axis === undefined ? { low, high } : this.#axis;
    axis.low += (low - axis.low) * EASE;
    axis.high += (high - axis.high) * EASE;
    this.#axis = axis;
    const x = (/** @type {number} */ at) => right - ((now - at) / WINDOW_MS) * (right - left);
    const y = (/** @type {number} */ value) =>
      bottom - ((this.#position(value) - axis.low) / (axis.high - axis.low)) * (bottom - HEAD);

    this.#drawGrid({ left, right, bottom, ticks, y });
    c.save();
    c.beginPath();
    c.rect(left, 0, right - left + RIGHT, height);
    c.clip();
    this.#style.series.forEach((color, series) => this.#drawSeries(series, color, x, y, bottom));
    c.restore();
    if (this.#points.length === 0) this.#drawHint((left + right) / 2, (HEAD + bottom) / 2);
    this.#drawReadout({ left, right, bottom, now });
  }

  /** Asked once and kept: asking the style sheet for every picture would cost more than drawing it. */
  #readStyle() {
    const style = getComputedStyle(this.#canvas);
    const color = (/** @type {string} */ name) => style.getPropertyValue(name);
    this.#style = {
      font: `11px ${style.fontFamily}`,
      grid: color('--plot-grid'),
      muted: color('--muted'),
      text: color('--text'),
      surface: color('--surface'),
      series: this.#options.colors.map(color),
    };
  }

  /** @param {number} value */
  #position(value) {
    return this.#options.logarithmic ? Math.log10(value) : value;
  }

  /**
   * @param {number} most ticks there is room for
   * @returns {{ ticks: number[], low: number, high: number }} ends as positions
   */
  #scale(most) {
    let least = Infinity;
    let greatest = -Infinity;
    for (const { at, values } of this.#points) {
      if (at < this.#now - WINDOW_MS) continue;
      for (const value of values) {
        if (value > greatest) greatest = value;
        if (value < least && value > 0) least = value;
      }
    }
    return this.#options.logarithmic ? logScale(least, greatest, most) : linearScale(greatest, most);
  }

  /** @param {{ left: number, right: number, bottom: number, ticks: number[], y: (value: number) => number }} area */
  #drawGrid({ left, right, bottom, ticks, y }) {
    const c = this.#context;
    c.strokeStyle = this.#style.grid;
    c.fillStyle = this.#style.muted;
    c.lineWidth = 1;
    c.textBaseline = 'middle';
    c.textAlign = 'right';
    for (const value of ticks) {
      const at = Math.round(y(value)) + 0.5;
      if (at < HEAD - 4 || at > bottom + 1) continue;
      c.beginPath();
      c.moveTo(left, at);
      c.lineTo(right, at);
      c.stroke();
      c.fillText(this.#options.tick(value), left - 8, at);
    }
    c.textBaseline = 'alphabetic';
    for (const [ago, align] of /** @type {const} */ ([
      [60, 'left'],
      [45, 'center'],
      [30, 'center'],
      [15, 'center'],
      [0, 'right'],
    ])) {
      if (ago % 30 !== 0 && right - left < 320) continue; // no room
      c.textAlign = align;
      c.fillText(ago === 0 ? 'now' : `−${ago} s`, right - (ago / 60) * (right - left), bottom + 16);
    }
  }

  /**
   * @param {number} series
   * @param {string} color
   * @param {(at: number) => number} x
   * @param {(value: number) => number} y
   * @param {number} bottom
   */
  #drawSeries(series, color, x, y, bottom) {
    const c = this.#context;
    const line = new Path2D();
    const area = new Path2D();
    let startX = NaN;
    let lastX = NaN;
    let lastY = NaN;
    const finish = () => {
      if (Number.isNaN(lastX)) return;
      area.lineTo(lastX, bottom);
      area.lineTo(startX, bottom);
      area.closePath();
    };
    for (const { at, values } of this.#points) {
      const value = values[series] ?? NaN;
      if (Number.isNaN(value)) {
        finish();
        lastX = NaN;
        continue;
      }
      const first = Number.isNaN(lastX);
      lastX = x(at);
      lastY = y(value);
      if (first) {
        startX = lastX;
        line.moveTo(lastX, lastY);
        area.moveTo(lastX, bottom);
        area.lineTo(lastX, lastY);
      } else {
        line.lineTo(lastX, lastY);
        area.lineTo(lastX, lastY);
      }
    }
    finish();
    c.fillStyle = color;
    if (this.#options.filled) {
      c.globalAlpha = 0.1;
      // oxlint-disable-next-line unicorn/no-array-fill-with-reference-type -- a canvas is no array
      c.fill(area);
      c.globalAlpha = 1;
    }
    c.strokeStyle = color;
    c.lineWidth = 1.75;
    c.lineJoin = 'round';
    c.stroke(line);
    if (Number.isNaN(lastX)) return;
    c.beginPath();
    c.arc(lastX, lastY, 3, 0, 2 * Math.PI);
    c.fill();
  }

  /** @type {(x: number, y: number) => void} */
  #drawHint(x, y) {
    const c = this.#context;
    const text = 'Press Start';
    const width = c.measureText(text).width + 20;
    c.fillStyle = this.#style.surface;
    c.fillRect(x - width / 2, y - 11, width, 22);
    c.fillStyle = this.#style.muted;
    c.textAlign = 'center';
    c.textBaseline = 'middle';
    c.fillText(text, x, y);
  }

  /** @param {{ left: number, right: number, bottom: number, now: number }} area */
  #drawReadout({ left, right, bottom, now }) {
    const pointerX = this.#pointerX;
    if (pointerX === undefined || pointerX < left || pointerX > right) return;
    const at = now - ((right - pointerX) / (right - left)) * WINDOW_MS;
    const nearest = this.#points.reduce(
      (/** @type {Point | undefined} */ best, point) =>
        best === undefined || Math.abs(point.at - at) < Math.abs(best.at - at) ? point : best,
      undefined,
    );
    if (nearest === undefined || Math.abs(nearest.at - at) > 1_000 || nearest.values.some(Number.isNaN)) return;
    const c = this.#context;
    const label = nearest.values.toReversed().map(this.#options.format).join('  ·  ');
    const width = c.measureText(label).width + 14;
    const from = Math.min(Math.max(pointerX - width / 2, left), right - width);
    c.lineWidth = 1;
    c.strokeStyle = this.#style.muted;
    c.beginPath();
    c.moveTo(pointerX, HEAD);
    c.lineTo(pointerX, bottom);
    c.stroke();
    c.fillStyle = this.#style.surface;
    c.beginPath();
    c.roundRect(from, 1, width, 20, 5);
    c.fill();
    c.stroke();
    c.fillStyle = this.#style.text;
    c.textAlign = 'center';
    c.textBaseline = 'middle';
    c.fillText(label, from + width / 2, 11.5);
  }
}

/**
 * Matches the canvas to the screen's pixels and clears it.
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasRenderingContext2D} context
 * @param {number} width
 * @param {number} height
 */
function fit(canvas, context, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
}
