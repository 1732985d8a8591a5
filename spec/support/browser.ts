/**
 * A real browser, one for the run, in which each spec opens pages of its own. A page that logs an error,
 * breaks its policy, or asks anybody but its own server fails the spec.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { closePages, noteOpen } from './open-pages.ts';
import { SLOW_PAGE_MS } from './seed.ts';

const CHROMIUM = '/usr/bin/chromium';
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

export const hasBrowser = existsSync(CHROMIUM);
/** A server and a browser are started, on a machine that may be busy. */
const TIMEOUT_MS = 120_000;
const OPENS_MS = TIMEOUT_MS / 2;

/** `describe` of what is looked at in the browser; skipped by name where there is none. */
export function describePage(title: string, specs: () => void): void {
  const begin = hasBrowser ? describe : describe.skip;
  begin(hasBrowser ? title : `${title} - needs chromium`, function () {
    this.timeout(TIMEOUT_MS);
    // Here, for what fails in a hook of all files ends all of them.
    afterEach(closePages);
    specs();
  });
}

/** As people hold it. */
export const SCREENS = {
  light: { colorScheme: 'light', viewport: { width: 1280, height: 800 } },
  dark: { colorScheme: 'dark', viewport: { width: 1280, height: 800 } },
  phone: {
    colorScheme: 'light',
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
  },
} as const satisfies Readonly<Record<string, BrowserContextOptions>>;

let browser: Promise<Browser> | undefined;

interface Opening extends BrowserContextOptions {
  /** The file of what is run in the page before anything of the page's own is. */
  readonly first?: string;
  /** What it is meant to throw. */
  readonly fails?: RegExp;
  /** An origin to which the page may send its reader, who logs in there. */
  readonly leadsTo?: string;
}

const NEVER = /$^/;

/**
 * A write takes a while longer than any look of a spec's at the server: what is taken for the end of one too early fails
 * each time, and not where the machine is busy. SLOW_PAGE=300 delays all that is asked, by so many milliseconds.
 */
const WRITE_MS = 150;

const SLOW = `{
  const later = setTimeout;
  const fetched = fetch;
  globalThis.fetch = async (path, init) => {
    const isRead = (init?.method ?? 'GET') === 'GET' || String(path).includes('/acl/authorize');
    const ms = ${SLOW_PAGE_MS} + (isRead ? 0 : ${WRITE_MS});
    if (ms > 0) await new Promise((over) => later(over, ms));
    return await fetched(path, init);
  };
}`;

/** Opens a page, which is closed at the end of the spec. */
export async function openPage(url: string, opening: Opening = {}): Promise<Page> {
  const { first, leadsTo, fails = NEVER, ...options } = opening;
  browser ??= chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  const context = await (await browser).newContext({ locale: 'en', ...options });
  context.setDefaultNavigationTimeout(OPENS_MS);
  const page = await context.newPage();
  const problems: string[] = [];
  noteOpen({ page, problems });
  const { origin } = new URL(url);
  page.on('pageerror', (error) => {
    if (!fails.test(String(error))) problems.push(String(error));
  });
  page.on('console', (message) => {
    // What the API answers, or that it does not, is for the page to show.
    const isOfApi = message.location().url.startsWith(`${origin}/v1/`);
    if (message.type() === 'error' && !isOfApi) problems.push(message.text());
  });
  page.on('request', (request) => {
    const asked = new URL(request.url()).origin;
    const isSent = request.isNavigationRequest() && asked === leadsTo;
    if (asked !== origin && !isSent) problems.push(`asks ${request.url()}`);
  });
  await page.addInitScript({ content: SLOW });
  if (first !== undefined) await page.addInitScript({ path: first });
  await page.goto(url);
  return page;
}

/** What a reader who cannot see, or not well, would stumble over. */
export async function barriersOn(page: Page): Promise<readonly string[]> {
  const isThere: boolean = await page.evaluate(`typeof axe === 'object'`);
  if (!isThere) await page.evaluate(readFileSync(AXE, 'utf8'));
  const found: { id: string; nodes: { html: string; failureSummary?: string }[] }[] =
    await page.evaluate(
      `axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations)`,
    );
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary ?? ''}`),
  );
}

/** At the end of all. */
export async function closeBrowser(): Promise<void> {
  await (await browser)?.close();
  browser = undefined;
}

if (typeof after === 'function') after(closeBrowser);
