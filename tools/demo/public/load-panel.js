// The right half of the page: knobs, figures and plots of the echo load.
import { EchoLoad } from './echo-load.js';
import { element } from './element.js';
import { byteRate, compactCount, count, size, time } from './numbers.js';
import { Plot } from './plot.js';

/** How often the plots' description for screen readers is written anew. */
const DESCRIBE_MS = 5_000;
/** Fifteen pictures a second look smooth at this pace of time, and leave the processor to the load. */
const PICTURE_MS = 1000 / 15;

/** @param {string} url of the echo server */
export function openLoadPanel(url) {
  const toggle = element('load-toggle', HTMLButtonElement);
  const status = element('load-status', HTMLElement);
  const sizeKnob = element('load-size', HTMLInputElement);
  const flightKnob = element('load-flight', HTMLInputElement);
  const form = element('load-form', HTMLFormElement);
  const calm = matchMedia('(prefers-reduced-motion: reduce)');
  const ratePlot = new Plot(element('plot-rate', HTMLCanvasElement), {
    colors: ['--plot-rate'],
    filled: true,
    logarithmic: false,
    format: (value) => `${count(value)} per second`,
    tick: compactCount,
  });
  const timePlot = new Plot(element('plot-rtt', HTMLCanvasElement), {
    colors: ['--plot-p99', '--plot-p50'],
    filled: false,
    logarithmic: true,
    format: time,
    tick: time,
  });

  const load = new EchoLoad(url, readKnobs(), { running, stopped, sample });
  let startedAt = 0;
  let describedAt = 0;
  let total = 0;
  let drawnAt = 0;

  form.addEventListener('input', () => (load.settings = readKnobs()));
  form.addEventListener('submit', (event) => event.preventDefault());
  toggle.addEventListener('click', () => {
    if (load.active) return load.stop('Stopped.');
    load.start();
    showActive(true);
    status.textContent = 'Connecting.';
  });
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') load.stop('Stopped, because this tab was hidden.');
  });
  draw(true);

  /** @returns {import('./echo-load.js').LoadSettings} */
  function readKnobs() {
    const bytes = 2 ** sizeKnob.valueAsNumber;
    const inFlight = 2 ** flightKnob.valueAsNumber;
    show(sizeKnob, element('load-size-text', HTMLElement), size(bytes));
    show(flightKnob, element('load-flight-text', HTMLElement), String(inFlight));
    return { bytes, inFlight, kind: new FormData(form).get('kind') === 'text' ? 'text' : 'binary' };
  }

  /** @type {(knob: HTMLInputElement, output: HTMLElement, text: string) => void} */
  function show(knob, output, text) {
    output.textContent = text;
    knob.setAttribute('aria-valuetext', text);
    const { min, max, valueAsNumber } = knob;
    knob.style.setProperty('--filled', String((valueAsNumber - Number(min)) / (Number(max) - Number(min))));
  }

  function running() {
    startedAt = performance.now();
    total = 0;
    status.textContent = 'Running.';
    requestAnimationFrame(animate);
  }

  /** @param {string} reason */
  function stopped(reason) {
    const seconds = (performance.now() - startedAt) / 1000;
    const summary = total > 0 ? ` ${count(total / seconds)} messages per second on average.` : '';
    status.textContent = reason + summary;
    showActive(false);
    ratePlot.add({ at: performance.now(), values: [NaN] });
    timePlot.add({ at: performance.now(), values: [NaN, NaN] });
    draw(true);
  }

  /** @param {boolean} active */
  function showActive(active) {
    toggle.textContent = active ? 'Stop' : 'Start';
    toggle.classList.toggle('stop', active);
  }

  /** @param {import('./echo-load.js').Sample} latest */
  function sample(latest) {
    const { at, rate, bytesPerSecond, p50, p99 } = latest;
    total = latest.total;
    figure('load-rate', rate, count(rate));
    figure('load-bytes', bytesPerSecond, byteRate(bytesPerSecond));
    figure('load-p50', p50, time(p50));
    figure('load-p99', p99, time(p99));
    figure('load-total', total, count(total));
    ratePlot.add({ at, values: [rate] });
    timePlot.add({ at, values: [p99, p50] });
    if (calm.matches) draw(true);
    if (at - describedAt < DESCRIBE_MS) return;
    describedAt = at;
    element('plot-rate', HTMLCanvasElement).ariaLabel = `Messages per second over the last minute, now ${count(rate)}`;
    element('plot-rtt', HTMLCanvasElement).ariaLabel =
      `Round-trip time over the last minute, now p50 ${time(p50)}, p99 ${time(p99)}`;
  }

  function animate() {
    if (!load.active) return;
    if (!calm.matches && performance.now() - drawnAt >= PICTURE_MS) draw(false);
    requestAnimationFrame(animate);
  }

  /** @param {boolean} settle */
  function draw(settle) {
    const now = (drawnAt = performance.now());
    ratePlot.draw(now, settle);
    timePlot.draw(now, settle);
  }
}

/** @type {(id: string, value: number, text: string) => void} */
function figure(id, value, text) {
  const data = element(id, HTMLDataElement);
  data.value = String(value);
  data.textContent = Number.isNaN(value) ? '–' : text;
}
