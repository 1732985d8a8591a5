/** The web page, made of web/: files with a hash of their bytes in their names, and the same compressed. */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { HASHED, INDEX } from '../lib/page/page-files.ts';

const WEB = fileURLToPath(new URL('../web', import.meta.url));
const TOP = dirname(WEB);
const KEPT_MS = 24 * 3600_000;
/** Parts of pages, of which the index itself needs none. */
const PARTS =
  /\/web\/(ui|words|core)\/(access|grants|secret\.tsx|rights\.tsx|config|intention|decision|form|kv|query|session|instance|node|past|strip|checks|facts|tags|health|table|tabs|filter|completion|heading|status|topology|layers|graph|shown|times?\.|order|values|overview|catalog|standing|chain|routing|performance|line|own-agent|cluster|ring|service)/;
/** Pages that are seen one after the other: a small file of each took a tenth more. The first one stands alone. */
const TOGETHER = [
  { name: 'access', test: /\/web\/pages\/access/ },
  { name: 'mesh', test: /\/web\/pages\/(intention|config|topology)/ },
  { name: 'state', test: /\/web\/pages\/(session|quer|event)/ },
  { name: 'catalog', test: /\/web\/pages\/(service\.|instance|node)/ },
];
/** Below it the head of an answer is larger than what is saved. */
const MIN_BYTES = 512;

export interface BuiltPage {
  /** By name; one that is compressed has `.gz` behind it. */
  readonly files: ReadonlyMap<string, Buffer>;
  /** What it was made of, from the top of the project. */
  readonly inputs: readonly string[];
}

export async function buildPage(): Promise<BuiltPage> {
  const made = await build({
    root: WEB,
    configFile: false,
    logLevel: 'warn',
    // Where the page is, its server alone knows: it writes that into the index.
    base: './',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      write: false,
      // Nothing is written into the page itself, which its policy would not let through.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      rolldownOptions: {
        checks: { pluginTimings: false },
        // What several pages share is compressed as one: a small file of each part took a tenth more.
        output: {
          codeSplitting: {
            includeDependenciesRecursively: false,
            groups: [{ name: 'parts', test: PARTS, minShareCount: 2 }, ...TOGETHER],
          },
        },
      },
      target: ['chrome123', 'firefox120', 'safari17.5'],
    },
  });
  if (!('output' in made)) throw new Error('vite built something else than one page');
  const files = new Map<string, Buffer>();
  const inputs = new Set<string>();
  for (const each of made.output) {
    const body = Buffer.from(each.type === 'chunk' ? each.code : each.source);
    files.set(each.fileName, body);
    // The server writes into the index, and sends it as it is.
    const isSmall = each.fileName === INDEX || body.length < MIN_BYTES;
    if (!isSmall) files.set(`${each.fileName}.gz`, gzipSync(body, { level: 9 }));
    const ids = each.type === 'chunk' ? each.moduleIds : [];
    for (const id of ids) if (id.startsWith(TOP)) inputs.add(id.slice(TOP.length + 1));
  }
  return { files, inputs: [...inputs] };
}

/** What a page that is open may still ask for stays for a day; the index comes last, for it names the others. */
export function writePage(folder: string, { files }: BuiltPage): void {
  const assets = join(folder, HASHED);
  for (const name of existsSync(assets) ? readdirSync(assets) : []) {
    const path = join(assets, name);
    if (Date.now() - statSync(path).mtimeMs > KEPT_MS) rmSync(path);
  }
  mkdirSync(assets, { recursive: true });
  for (const [name, body] of files) {
    if (name !== INDEX) writeFileSync(join(folder, name), body);
  }
  writeFileSync(join(folder, INDEX), files.get(INDEX) ?? '');
}
