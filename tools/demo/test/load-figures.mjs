// Reads the load panel: its figures from the DOM, its plots from their pixels.

/** @typedef {import('playwright-core').Page} Page */

/** @param {Page} page @param {string} id */
export const figure = (page, id) => page.locator(`#${id}`).evaluate((data) => Number(data.getAttribute('value')));

/** Waits until a figure has grown past a bound. @param {Page} page @param {string} id @param {number} bound */
export const grows = (page, id, bound) =>
  page.waitForFunction((wanted) => Number(document.getElementById(wanted.id)?.getAttribute('value')) > wanted.bound, {
    id,
    bound,
  });

/** Left end of the curve, in canvas pixels: it moves left as time goes. @param {Page} page */
export const curveStart = (page) =>
  page.locator('#plot-rate').evaluate((node) => {
    const canvas = /** @type {HTMLCanvasElement} */ (node);
    const copy = document.createElement('canvas');
    copy.width = canvas.width;
    copy.height = canvas.height;
    const c = copy.getContext('2d', { willReadFrequently: true });
    if (c === null) throw new Error('no 2d context');
    c.fillStyle = getComputedStyle(canvas).getPropertyValue('--plot-rate');
    c.fillRect(0, 0, 1, 1);
    const [red = 0, green = 0, blue = 0] = c.getImageData(0, 0, 1, 1).data;
    c.clearRect(0, 0, 1, 1);
    c.drawImage(canvas, 0, 0);
    const { data } = c.getImageData(0, 0, copy.width, copy.height);
    for (let x = 0; x < copy.width; x++) {
      for (let y = 0; y < copy.height; y++) {
        const [r = 0, g = 0, b = 0, a = 0] = data.subarray(4 * (y * copy.width + x));
        if (a > 200 && Math.abs(r - red) + Math.abs(g - green) + Math.abs(b - blue) < 24) return x;
      }
    }
    return -1;
  });

/** @param {Page} page @param {string} id */
export const picture = (page, id) =>
  page.locator(`#${id}`).evaluate((canvas) => /** @type {HTMLCanvasElement} */ (canvas).toDataURL());

/** Runs in the page. */
export function nextFrame() {
  return new Promise((resolve) => requestAnimationFrame(() => resolve(undefined)));
}
