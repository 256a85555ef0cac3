// The page in real Chromium, found and used as people do: by roles and labels.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { startDemo } from '../start.mjs';
import { findChromium, launchChromium, noticeMissing } from './chromium.mjs';
import { curveStart, figure, grows, nextFrame, picture } from './load-figures.mjs';
import { Peer } from './peer.mjs';

/** @typedef {import('playwright-core').Page} Page */

jest.setTimeout(180_000);

const path = findChromium();
if (path === undefined) noticeMissing();

test('Chromium is there, as it must be under CI=true', () => {
  expect(path !== undefined || process.env['CI'] !== 'true').toBe(true);
});

(path === undefined ? describe.skip : describe)('the page in Chromium', () => {
  /** @type {import('playwright-core').Browser} */
  let browser;
  /** @type {import('../demo.mjs').Demo} */
  let demo;
  /** @type {import('playwright-core').BrowserContext} */
  let context;
  /** @type {string[]} what no page may do: complain, break the policy, ask another host */
  let offences;

  beforeAll(async () => {
    browser = await launchChromium(path ?? '');
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    offences = [];
    demo = await startDemo({ log: (line) => offences.push(line) });
    context = await newContext({});
  });
  afterEach(async () => {
    for (const each of browser.contexts()) await each.close();
    await demo.close();
  });

  /** @param {import('playwright-core').BrowserContextOptions} options */
  async function newContext(options) {
    const made = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    made.setDefaultTimeout(60_000);
    await made.exposeFunction('offend', (/** @type {string} */ text) => offences.push(text));
    await made.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) => {
        /** @type {any} */ (window).offend(`policy: ${effectiveDirective} ${blockedURI}`);
      });
    });
    made.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) offences.push(`console: ${message.text()}`);
    });
    made.on('weberror', (error) => offences.push(`page: ${String(error.error())}`));
    made.on('request', (request) => {
      if (!request.url().startsWith(demo.url)) offences.push(`request: ${request.url()}`);
    });
    return made;
  }

  /**
   * @param {string} [name]
   * @param {import('playwright-core').BrowserContext} [inContext]
   */
  async function openTab(name, inContext = context) {
    const page = await inContext.newPage();
    await page.goto(demo.url);
    await page.getByText('You are in the room as').waitFor();
    if (name !== undefined) {
      await page.getByLabel('Your name').fill(name);
      await page.getByLabel('Your name').press('Enter');
      await page.getByRole('log').getByText(`is now ${name}`).waitFor();
    }
    return page;
  }

  /** @param {Page} page @param {string} text */
  async function say(page, text) {
    const box = page.getByRole('textbox', { name: 'Message' });
    await box.fill(text);
    await box.press('Enter');
  }

  /** @param {Page} page @param {string | RegExp} text */
  const heard = (page, text) => page.getByRole('log').getByRole('article').filter({ hasText: text });

  test('two tabs chat with each other, and the bot answers both', async () => {
    const ada = await openTab('Ada');
    const bob = await openTab('Bob');
    await ada.getByRole('list', { name: 'In the room' }).getByText('Bob').waitFor();

    await say(ada, 'Can you read this?');
    await heard(bob, 'Can you read this?').filter({ hasText: 'Ada' }).waitFor();
    await say(bob, 'Clearly.');
    await heard(ada, 'Clearly.').filter({ hasText: 'Bob' }).waitFor();
    await ada.locator('.entry.mine', { hasText: 'Can you read this?' }).waitFor();

    await bob.getByRole('button', { name: '/dice' }).click();
    for (const tab of [ada, bob]) await heard(tab, /Pip.*Bob rolls 1d6: [1-6]\./s).waitFor();
    await say(ada, 'hello');
    for (const tab of [ada, bob]) await heard(tab, /Pip.*(Hello|Hi|Hey),? Ada/s).waitFor();

    await bob.close();
    await ada.getByRole('log').getByText('Bob left').waitFor();
    expect(offences).toEqual([]);
  });

  test('Enter sends, Shift+Enter breaks the line, a blank message stays unsent', async () => {
    const page = await openTab('Ada');
    const box = page.getByRole('textbox', { name: 'Message' });
    await box.fill('  ');
    await box.press('Enter');
    await box.fill('');
    await box.pressSequentially('first');
    await box.press('Shift+Enter');
    await box.pressSequentially('second');
    await box.press('Enter');
    await heard(page, 'first').waitFor();
    expect(await page.locator('.entry.mine .text').allTextContents()).toEqual(['first\nsecond']);
    expect(await box.inputValue()).toBe('');
    expect(offences).toEqual([]);
  });

  test('a reload of a third tab keeps its name, shows what was said, and the others go on', async () => {
    const ada = await openTab('Ada');
    const bob = await openTab('Bob');
    const eve = await openTab('Eve');
    await say(ada, 'before the reload');
    await heard(eve, 'before the reload').waitFor();
    await eve.reload();
    await eve.getByText('You are in the room as Eve', { exact: true }).waitFor();
    await heard(eve, 'before the reload').waitFor();
    await say(eve, 'back again');
    for (const tab of [ada, bob]) await heard(tab, 'back again').filter({ hasText: 'Eve' }).waitFor();
    await say(bob, 'welcome back');
    await heard(eve, 'welcome back').waitFor();
    expect(offences).toEqual([]);
  });

  test('what others write is text, whatever it looks like', async () => {
    const page = await openTab('Ada');
    const markup = '<img src=x onerror=alert(1)><script>alert(1)</script><b>bold</b> &amp; "';
    const mallory = await Peer.join(demo.url, '<b>Mallory</b>');
    mallory.send({ type: 'say', text: markup });
    await heard(page, '<img src=x').waitFor();
    expect(await heard(page, '<img src=x').locator('.text').textContent()).toBe(markup);
    await page.getByRole('list', { name: 'In the room' }).getByText('<b>Mallory</b>').waitFor();
    expect(await page.locator('main :is(img, script, b)').count()).toBe(0);
    await mallory.close();
    expect(offences).toEqual([]);
  });

  test('the policy is in force: this test would notice a violation', async () => {
    const page = await openTab();
    await page.evaluate(() => {
      const image = new Image();
      const blocked = new Promise((resolve) => image.addEventListener('error', resolve));
      image.src = 'http://192.0.2.1/x.png';
      return blocked;
    });
    await expect(page.evaluate(() => (document.body.innerHTML = '<p>x</p>'))).rejects.toThrow(/TrustedHTML/);
    await page.waitForFunction(() => true);
    expect(offences.join('\n')).toMatch(/policy: img-src/);
  });

  test('the load runs, its figures and its plot move, and it stops', async () => {
    const page = await openTab();
    const before = await picture(page, 'plot-rtt');
    expect(await curveStart(page)).toBe(-1);
    await page.getByRole('button', { name: 'Start' }).click();
    await grows(page, 'load-total', 200);
    expect(await figure(page, 'load-rate')).toBeGreaterThan(50);
    const [p50, p99] = [await figure(page, 'load-p50'), await figure(page, 'load-p99')];
    expect(p50).toBeGreaterThan(0);
    expect(p99).toBeGreaterThanOrEqual(p50 * 0.5); // read one after the other, so perhaps of two samples
    expect(await picture(page, 'plot-rtt')).not.toBe(before);

    let start = -1; // the curve appears with its second sample
    while (start <= 0) {
      await page.evaluate(nextFrame);
      start = await curveStart(page);
    }
    const total = await figure(page, 'load-total');
    for (let now = start; now > start - 3; now = await curveStart(page)) await page.evaluate(nextFrame);
    await grows(page, 'load-total', total);

    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText(/^Stopped\. [\d,]+ messages per second on average\.$/).waitFor();
    const still = await picture(page, 'plot-rate');
    for (let i = 0; i < 5; i++) await page.evaluate(nextFrame);
    expect(await picture(page, 'plot-rate')).toBe(still);
    expect(offences).toEqual([]);
  });

  test('size, window and type take effect in the middle of a run', async () => {
    const page = await openTab();
    await page.getByRole('button', { name: 'Start' }).click();
    await grows(page, 'load-total', 0);
    await page.getByRole('radio', { name: 'Text' }).check({ force: true });
    for (const [label, value, shown] of /** @type {const} */ ([
      ['Message size', '10', '1 KiB'],
      ['Messages in flight', '6', '64'],
      ['Messages in flight', '0', '1'],
      ['Message size', '16', '64 KiB'],
    ])) {
      await page.getByRole('slider', { name: label }).fill(value);
      await page.locator('output', { hasText: shown }).first().waitFor();
      await grows(page, 'load-total', (await figure(page, 'load-total')) + 30);
    }
    await page.getByRole('radio', { name: 'Binary' }).check({ force: true });
    await grows(page, 'load-total', (await figure(page, 'load-total')) + 30);
    expect(await figure(page, 'load-bytes')).toBeGreaterThan(64 * 1024);
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText(/^Stopped\. /).waitFor();
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByText('Running.').waitFor();
    await grows(page, 'load-total', 10);
    expect(offences).toEqual([]);
  });

  test('a hidden tab stops its load', async () => {
    const page = await openTab();
    await page.getByRole('button', { name: 'Start' }).click();
    await grows(page, 'load-total', 10);
    await page.evaluate(() => {
      Object.defineProperty(document, 'visibilityState', { value: 'hidden' });
      document.dispatchEvent(new Event('visibilitychange'));
    });
    await page.getByText(/^Stopped, because this tab was hidden\./).waitFor();
    await page.getByRole('button', { name: 'Start' }).waitFor();
    expect(offences).toEqual([]);
  });

  test('the server goes and comes back: the page says so, keeps the draft and joins again', async () => {
    const page = await openTab('Ada');
    await page.getByRole('button', { name: 'Start' }).click();
    await grows(page, 'load-total', 10);
    await page.getByRole('textbox', { name: 'Message' }).fill('half a sent');
    const port = Number(new URL(demo.url).port);
    await demo.close();
    await page.getByRole('log').getByText('The server is going away').waitFor();
    await page.getByText('Disconnected').waitFor();
    await page.getByText(/^The connection ended \(1001, the server is going away\)\./).waitFor();
    expect(await page.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true);
    expect(await page.getByRole('list', { name: 'In the room' }).getByRole('listitem').count()).toBe(0);

    demo = await startDemo({ port });
    await page
      .getByRole('button', { name: 'Connect now' })
      .click({ timeout: 2_000 })
      .catch(() => {}); // or it was faster
    await page.getByRole('log').getByText('The server has started anew').waitFor();
    await page.getByText('Connected', { exact: true }).waitFor();
    expect(await page.getByLabel('Your name').inputValue()).toBe('Ada');
    expect(await page.getByRole('textbox', { name: 'Message' }).inputValue()).toBe('half a sent');
    await page.getByRole('button', { name: 'Send' }).click();
    await heard(page, 'half a sent').waitFor();
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByText('Running.').waitFor();
  });

  test.each([
    { deviceScaleFactor: 2, width: 320, height: 640, colorScheme: /** @type {const} */ ('light') },
    { deviceScaleFactor: 3, width: 390, height: 844, colorScheme: /** @type {const} */ ('dark') },
    { deviceScaleFactor: 2, width: 1000, height: 560, colorScheme: /** @type {const} */ ('dark') },
    { deviceScaleFactor: 1, width: 1920, height: 1080, colorScheme: /** @type {const} */ ('light') },
  ])(
    'fits $width by $height at $deviceScaleFactor, $colorScheme',
    async ({ width, height, colorScheme, deviceScaleFactor }) => {
      const narrow = await newContext({ viewport: { width, height }, colorScheme, deviceScaleFactor });
      const page = await openTab('A name of 24 characters.', narrow);
      await say(page, 'unbroken'.repeat(100));
      await heard(page, 'unbroken').waitFor();
      const { canvases, sideways, cut, back } = await page.evaluate(() => ({
        canvases: [...document.querySelectorAll('canvas')].map((canvas) => ({
          ratio: [canvas.width / canvas.clientWidth, canvas.height / canvas.clientHeight].map(Math.round),
          tall: canvas.clientHeight > 90 && canvas.clientHeight < 400,
        })),
        sideways: ['html', '#log', '#say'].filter((selector) => {
          const node = document.querySelector(selector);
          return node === null || node.scrollWidth > node.clientWidth;
        }),
        cut: [...document.querySelectorAll('button, label, dt, dd, h2')]
          .filter(
            (node) =>
              !node.closest('[hidden], .unseen') && node.scrollWidth > node.clientWidth + 1 && node.clientWidth > 0,
          )
          .map((node) => node.textContent),
        back: getComputedStyle(document.body).backgroundColor,
      }));
      expect(sideways).toEqual([]);
      const drawn = { ratio: [deviceScaleFactor, deviceScaleFactor], tall: true };
      expect(canvases).toEqual([drawn, drawn]);
      expect(cut).toEqual([]);
      const light = Number(/\d+/.exec(back)?.[0]) > 128;
      expect(light).toBe(colorScheme === 'light');
      expect(offences).toEqual([]);
    },
  );
});
