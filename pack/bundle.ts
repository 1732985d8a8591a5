/**
 * What runs and what is packed, made of the sources.
 *
 * Two bundles, so that a command starts fast: dist/proconsul.cjs is one file with all commands that
 * are not large, and dist/run-large.js, with its chunks, has all. Both carry the packages that they
 * use: an installed Proconsul is one package.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';
import { COMMANDS } from '../cli/command-tree.ts';
import { isLarge } from '../cli/large-commands.ts';

const TOP = fileURLToPath(new URL('..', import.meta.url));

/**
 * Refuses what is no ASCII, which esbuild leaves as it is in regular expressions alone: by one such letter V8 keeps
 * all of a file's text in two bytes a letter, for as long as the process lives.
 */
export const oneByte: Plugin = {
  name: 'one-byte',
  setup({ onEnd }) {
    onEnd(({ metafile, outputFiles }) => {
      const files =
        outputFiles?.map(({ path, contents }) => [path, contents] as const) ??
        Object.keys(metafile?.outputs ?? {}).map(
          (path) => [path, readFileSync(join(TOP, path))] as const,
        );
      const errors = files.flatMap(([path, contents]) => {
        const at = contents.findIndex((byte) => byte > 0x7f);
        const around = Buffer.from(contents.subarray(Math.max(at - 40, 0), at + 40)).toString();
        return at < 0 ? [] : [{ text: `${path} is no ASCII: ${around}` }];
      });
      return { errors };
    });
  },
};

const SHARED = {
  absWorkingDir: TOP,
  bundle: true,
  platform: 'node',
  target: 'node20',
  metafile: true,
  legalComments: 'none',
  // What is read at each start; names stay, for whoever reads where an error comes from.
  minifyWhitespace: true,
  minifySyntax: true,
  logLevel: 'warning',
  // Some packages name it in code that only their debugging reaches; a module has none.
  define: { __dirname: '""' },
} as const satisfies BuildOptions;

/** What is required from Node's own `require` by a source, a bundler would leave outside. */
const requireInside: Plugin = {
  name: 'require-inside',
  setup({ onLoad }) {
    onLoad({ filter: /\/lib\/b-tree\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace('createRequire(import.meta.url)', 'require'),
      loader: 'ts',
    }));
  },
};

/**
 * What no request comes to, and each start would read: Express's own reading of bodies, with all character sets there are
 * (rows read theirs by themselves), and what a logger's packages print of themselves while they are developed.
 */
const withoutUnused: Plugin = {
  name: 'without-unused',
  setup({ onLoad }) {
    onLoad({ filter: /\/node_modules\/body-parser\/index\.js$/ }, () => ({
      contents: 'module.exports = {};',
    }));
    onLoad({ filter: /\/node_modules\/@dabh\/diagnostics\/node\/index\.js$/ }, () => ({
      contents: "module.exports = require('./production.js');",
    }));
  },
};

/** The word by which the command line knows a command's module. */
export function firstWord(path: string): string {
  const words = basename(path, '.ts');
  return COMMANDS.commands.has(words) ? words : (words.split('-')[0] ?? '');
}

/** Of the first file: leaves out what it hands to the second bundle. */
const withoutLarge: Plugin = {
  name: 'without-large',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /\/run-large\.ts$/ }, () => ({ path: './run-large.js', external: true }));
    onResolve({ filter: /^\.\/commands\// }, ({ path }) =>
      isLarge(firstWord(path)) ? { path, namespace: 'large' } : undefined,
    );
    onLoad({ filter: /./, namespace: 'large' }, () => ({
      contents: 'throw new Error("it is in run-large.js")',
    }));
  },
};

/** What a CommonJS package requires of Node, a module has not. */
const REQUIRE = `import{createRequire as $require}from'node:module';const require=$require(import.meta.url);`;

/** What went into the files that it wrote: the first, the larger one with its chunks, and what programs import. */
export interface Built {
  readonly first: Metafile;
  readonly large: Metafile;
  readonly client: Metafile;
}

/** Writes into the folder; with `write` false it only says what it would write. */
export async function bundle(outdir: string, write = true): Promise<Built> {
  return {
    first: await bundleFirst(outdir, write),
    large: await bundleLarge(outdir, write),
    client: await bundleClient(outdir, write),
  };
}

async function bundleFirst(outdir: string, write: boolean): Promise<Metafile> {
  const { metafile } = await build({
    ...SHARED,
    // So that an old Node, such as Debian 11 has, reads far enough to say that it is too old.
    target: 'node12',
    entryPoints: { proconsul: 'cli/main.ts' },
    outdir,
    write,
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    plugins: [withoutLarge, oneByte],
  });
  return metafile;
}

async function bundleLarge(outdir: string, write: boolean): Promise<Metafile> {
  const { metafile } = await build({
    ...SHARED,
    entryPoints: { 'run-large': 'cli/run-large.ts' },
    outdir,
    write,
    chunkNames: 'large/[name]-[hash]',
    format: 'esm',
    splitting: true,
    banner: { js: REQUIRE },
    plugins: [requireInside, withoutUnused, oneByte],
  });
  return metafile;
}

/** What other programs import, by the names in package.json; undici is theirs. */
export async function bundleClient(outdir: string, write: boolean): Promise<Metafile> {
  const { metafile } = await build({
    ...SHARED,
    entryPoints: {
      balance: 'client/balance.ts',
      'balance-undici': 'client/undici.ts',
      grpc: 'client/grpc.ts',
    },
    outdir,
    write,
    chunkNames: 'client/[name]-[hash]',
    format: 'esm',
    splitting: true,
    plugins: [oneByte],
    external: ['undici'],
  });
  return metafile;
}

/** The page's files by name, within the program: a file without `.gz` is made of the one that has it. */
function withPage(files: ReadonlyMap<string, Buffer>): Plugin {
  const kept = [...files].filter(([name]) => !files.has(`${name}.gz`));
  const texts = Object.fromEntries(kept.map(([name, body]) => [name, body.toString('base64')]));
  return {
    name: 'with-page',
    setup({ onLoad }) {
      onLoad({ filter: /\/lib\/page\/embedded\.ts$/ }, () => ({
        contents: `export const EMBEDDED = ${JSON.stringify(texts)};`,
      }));
    },
  };
}

/** All of it in one file that requires nothing but Node's own modules. */
export async function bundleWhole(
  outfile: string,
  page: ReadonlyMap<string, Buffer>,
  write = true,
): Promise<Metafile> {
  const { metafile } = await build({
    ...SHARED,
    entryPoints: ['cli/main.ts'],
    outfile,
    write,
    format: 'cjs',
    // A program in one file has nowhere to import from.
    supported: { 'dynamic-import': false },
    plugins: [requireInside, withoutUnused, withPage(page), oneByte],
  });
  return metafile;
}

/** The text of each package's licence, which goes where its code goes; `page` is what that is made of. */
export function licences({ first, large, client }: Built, page: readonly string[]): string {
  const bundled = [first, large, client].flatMap(({ inputs }) => Object.keys(inputs));
  const inputs = [...bundled, ...page];
  const folders = inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []);
  return [...new Set(folders)].sort().map(licenceOf).join('\n');
}

function licenceOf(folder: string): string {
  const { name, version, license, author } = JSON.parse(
    readFileSync(join(TOP, folder, 'package.json'), 'utf8'),
  );
  const file = readdirSync(join(TOP, folder)).find((each) => /^licen[cs]e/i.test(each));
  const text = file === undefined ? saidOnly(license, author) : textOf(join(folder, file));
  return `== ${name} ${version} (${license})\n\n${text}\n`;
}

const COPYRIGHT = /^Copyright .*$/m;

/** Of a package that says its licence and does not bring the text: ours is the same but for its first line. */
function saidOnly(license: unknown, author: unknown): string {
  if (license !== 'MIT' || typeof author !== 'string') return '';
  return textOf('LICENSE').replace(COPYRIGHT, `Copyright (c) ${author}`);
}

function textOf(path: string): string {
  return readFileSync(join(TOP, path), 'utf8').trim();
}
