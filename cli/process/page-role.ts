/** Where the web page comes from: out of the program itself, or from the folder beside what was built. */
import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Config } from '../../lib/config/config.ts';
import type { Logger } from '../../lib/logger.ts';
import { EMBEDDED } from '../../lib/page/embedded.ts';
import { createPage, type Page } from '../../lib/page/page.ts';
import { type PageFiles, pageFiles, readPage } from '../../lib/page/page-files.ts';

export function pageOf({ ui, http, datacenter }: Config, logger: Logger): Page | undefined {
  if (!ui.enabled) return undefined;
  const { dir, contentPath } = ui;
  const headers = http.responseHeaders;
  return createPage({ contentPath, datacenter, dir, files: builtPage, headers, logger });
}

async function builtPage(): Promise<PageFiles> {
  if (EMBEDDED === undefined) return await readPage(join(dirname(program()), 'web'));
  return unpacked(EMBEDDED);
}

/** What is compressed is there as it was too, for whoever takes it so alone. */
function unpacked(embedded: Readonly<Record<string, string>>): PageFiles {
  const bytes = new Map<string, Buffer>();
  for (const [name, text] of Object.entries(embedded)) {
    const body = Buffer.from(text, 'base64');
    bytes.set(name, body);
    if (name.endsWith('.gz')) bytes.set(name.slice(0, -'.gz'.length), gunzipSync(body));
  }
  return pageFiles(bytes);
}

function program(): string {
  return realpathSync(process.argv[1] ?? '.');
}
