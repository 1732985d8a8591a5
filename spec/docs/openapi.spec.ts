import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { ApiPage } from '../../docs/api-page.ts';
import { allRoutes } from '../../docs/compat-table.ts';
import { openApiText } from '../../docs/openapi.ts';
import { Router } from '../../lib/http/router.ts';

const DOCS = new URL('../../docs/', import.meta.url);
const text = readFileSync(new URL('openapi.json', DOCS), 'utf8');

interface Document {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: object }>>>
  >;
}
const { paths } = JSON.parse(text) as Document;

describe('docs/openapi.json', () => {
  it('is what OpenAPI 3.1 calls a description of an API', async () => {
    const { valid, errors } = await new Validator().validate(text);
    assert.deepEqual({ valid, errors }, { valid: true, errors: undefined });
    assert.match(text, /"openapi": "3\.1\.0"/);
  });

  it('is as `npm run openapi` writes it', () => {
    assert.ok(text === openApiText(), 'it is stale: run `npm run openapi`');
  });

  it('knows each status that the examples of docs/api are answered with', () => {
    const router = new Router(allRoutes());
    const unknown = shownStatuses().filter(({ method, path, status }) => {
      const row = router.match(path)?.methods.get(method);
      const known = row && paths[`${row.path}${row.rest ? `{${row.rest}}` : ''}`];
      return (
        known === undefined || !Object.hasOwn(known[method.toLowerCase()]?.responses ?? {}, status)
      );
    });
    assert.deepEqual(unknown, []);
  });
});

/** Of the examples that show one. */
function shownStatuses() {
  const folder = new URL('api/', DOCS);
  return readdirSync(folder).flatMap((name) => {
    const page = new ApiPage(readFileSync(new URL(name, folder), 'utf8'));
    return page.examples().flatMap(({ command, shown = '' }) => {
      const [, status] = /^HTTP\/1\.1 (\d+)/.exec(shown) ?? [];
      const [, method = 'GET'] = /-X (\w+)/.exec(command) ?? [];
      const [, path = ''] = /localhost:\d+(\/[^\s'?]*)/.exec(command) ?? [];
      return status === undefined ? [] : [{ name, method, path, status }];
    });
  });
}
