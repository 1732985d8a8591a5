import assert from 'node:assert/strict';
import { loadConfig } from '../../../lib/config/load.ts';
import { fakeConfigHost } from '../../support/fakes/fake-config-host.ts';

function load(text: string, name = '/c.json') {
  const host = fakeConfigHost({ files: { [name]: text } });
  const argv = ['-dev', '-bind=127.0.0.1', `-config-file=${name}`];
  return loadConfig({ argv, host, redisUrl: undefined });
}

const watch = (fields: object) => load(JSON.stringify({ watches: [fields] })).config.watches[0];

const HTTP = { type: 'key', key: 'a', handler_type: 'http' };
const KEY = { type: 'key', key: 'a', args: ['true'] };

/** What 1.8.7 says of each, but for the map that it prints in front. */
const REFUSED: readonly (readonly [object, string])[] = [
  [{ type: 'nope', args: ['true'] }, 'Unsupported watch type: nope'],
  [{ args: ['true'] }, 'Watch type must be specified'],
  [{ Type: 'key', Key: 'a', args: ['true'] }, 'Watch type must be specified'],
  [{ type: 'key', args: ['true'] }, 'Must specify a single key to watch'],
  [{ type: 'key', key: 'a' }, 'Must define a watch handler'],
  [{ type: 'key', key: 'a', handler_type: 'script' }, 'Must define a watch handler'],
  [{ ...KEY, key: 5 }, 'Expecting key to be a string'],
  [{ ...KEY, datacenter: 5 }, 'Expecting datacenter to be a string'],
  [{ ...KEY, bogus: 'x', extra: 'y' }, 'Invalid parameters: [bogus extra]'],
  [{ ...KEY, tag: 'x' }, 'Invalid parameters: [tag]'],
  [{ ...KEY, handler: 'x' }, 'Only one watch handler allowed'],
  [{ ...KEY, args: [1] }, 'Watch args must be a list of strings'],
  [{ ...KEY, args: [] }, 'Must define a watch handler: args is empty'],
  [{ ...KEY, handler_type: 'wat' }, "Handler type 'wat' not recognized"],
  [HTTP, "Handler type 'http' requires 'http_handler_config' to be set"],
  [
    { ...HTTP, http_handler_config: {} },
    "Failed to parse 'http_handler_config': Requires 'path' to be set",
  ],
  [
    { ...HTTP, http_handler_config: { path: 'ftp://user:secret@x' } },
    "Failed to parse 'http_handler_config': 'path' is no http:// or https:// URL",
  ],
  [
    { ...HTTP, http_handler_config: { path: 'http://x', timeout: 'bad' } },
    `Failed to parse 'http_handler_config': Failed to parse timeout: time: invalid duration "bad"`,
  ],
  [
    { ...HTTP, http_handler_config: { path: 'http://x', header: { A: ['b\r\nc'] } } },
    'the header A cannot be sent',
  ],
  [
    { ...HTTP, http_handler_config: { path: 'http://x', method: 'B D' } },
    'the method of an HTTP handler is none',
  ],
  [{ ...HTTP, http_handler_config: { path: 'http://x', pth: 'y' } }, 'Invalid parameters: [pth]'],
  [
    { ...HTTP, http_handler_config: { path: 'http://x' }, args: ['x'] },
    'Only one watch handler allowed',
  ],
  [
    { type: 'checks', service: 'a', state: 'passing', args: ['true'] },
    'Cannot specify service and state',
  ],
  [
    { type: 'service', service: 'a', passingonly: 'yes', args: ['true'] },
    'Expecting passingonly to be a boolean',
  ],
  [
    { type: 'service', service: 'a', tag: 5, args: ['true'] },
    'Expecting tag to be a string or []string',
  ],
  [
    { type: 'connect_leaf', args: ['true'] },
    'Watch type connect_leaf is not allowed in agent config',
  ],
];

describe('watches in a configuration', () => {
  for (const [fields, complaint] of REFUSED) {
    it(`are refused by place: ${JSON.stringify(fields)}`, () => {
      assert.throws(() => watch(fields), { code: 'invalid', message: `watches[0]: ${complaint}` });
    });
  }

  it('take one tag or several, and each kind of handler', () => {
    const service = { type: 'service', service: 'web', passingonly: true, args: ['./a', 'b c'] };
    assert.deepEqual(watch({ ...service, tag: 'x', stale: true, token: 't', datacenter: 'dc2' }), {
      type: 'service',
      params: { service: ['web'], passingonly: ['true'], tag: ['x'] },
      stale: true,
      datacenter: 'dc2',
      token: 't',
      handler: { kind: 'program', words: ['./a', 'b c'], shell: false },
    });
    assert.deepEqual(watch({ ...service, tag: ['x', 'y'] })?.params['tag'], ['x', 'y']);
    const { config, warnings } = load('{"watches":[{"type":"nodes","handler":"a | b"}]}');
    const handler = { kind: 'program', words: ['a | b'], shell: true };
    assert.deepEqual(config.watches[0]?.handler, handler);
    assert.match(warnings.join(), /'handler' field in watches has been deprecated/);
  });

  it('are read from HCL, where what stands in blocks is a list', () => {
    const { config } = load(
      `watches {
         type = "key"
         key = "a"
         handler_type = "http"
         http_handler_config {
           path = "https://x/y"
           header { X-Foo = ["a", "b"] }
           timeout = "3s"
           tls_skip_verify = true
         }
       }`,
      '/c.hcl',
    );
    assert.deepEqual(config.watches[0]?.handler, {
      kind: 'http',
      url: 'https://x/y',
      method: 'POST',
      headers: { 'X-Foo': ['a', 'b'] },
      timeoutMs: 3000,
      skipVerify: true,
    });
  });

  it('show nothing of themselves to others, as in 1.8', () => {
    const text = JSON.stringify({ watches: [{ ...KEY, token: 'secret' }] });
    assert.deepEqual(load(text).config.shown['Watches'], [{}]);
  });
});
