import assert from 'node:assert/strict';
import fc from 'fast-check';
import { AGENT_MANUAL } from '../../../cli/agent-manual.ts';
import { usageOf } from '../../../cli/usage.ts';
import { AGENT_FLAGS } from '../../../lib/config/agent-flags.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { fakeConfigHost } from '../../support/fakes/fake-config-host.ts';

const load = (argv: readonly string[]) => loadConfig({ argv, host: fakeConfigHost() });

describe('flags', () => {
  const firstLine = (argv: readonly string[]) => {
    try {
      load(argv);
    } catch (error) {
      assert.ok(error instanceof ProconsulError);
      return error.message.split('\n')[0];
    }
    return 'taken';
  };

  it('come as -x v, -x=v and --x, and booleans alone or with a value', () => {
    const { config } = load(['--dev', '-node', 'a', '--http-port=1', '-server=false', '-docker=T']);
    assert.equal(config.nodeName, 'a');
    assert.equal(config.ports.http, 1);
    assert.equal(config.server, false);
    assert.equal(config.docker.enabled, true);
  });

  it('take pairs, the second part of which may have colons or be missing', () => {
    const { config } = load(['-dev', '-node-meta=a:b:c', '-node-meta', 'd']);
    assert.deepEqual(config.nodeMeta, { a: 'b:c', d: '' });
  });

  // Each line is Consul's.
  const refused: readonly (readonly [string, string])[] = [
    ['-nope', 'flag provided but not defined: -nope'],
    ['-node', 'flag needs an argument: -node'],
    [
      '-server=x',
      'invalid boolean value "x" for -server: strconv.ParseBool: parsing "x": invalid syntax',
    ],
    [
      '-http-port=x',
      'invalid value "x" for flag -http-port: strconv.Atoi: parsing "x": invalid syntax',
    ],
    ['x', 'Unexpected extra arguments: [x]'],
    ['-config-format=xml', "config: -config-format must be either 'hcl' or 'json'"],
  ];
  for (const [flag, message] of refused) {
    it(`refuse ${flag}`, () => assert.equal(firstLine([flag]), message));
  }

  it('are read or refused as invalid, whatever they are (seed 4)', () => {
    const name = fc.constantFrom(...AGENT_FLAGS.keys());
    const value = fc.oneof(fc.string(), fc.constantFrom('true', '1', '-1', '{', 'unix://', '{{ a'));
    const word = fc.oneof(
      fc.tuple(name, value).map(([flag, text]) => `-${flag}=${text}`),
      name.map((flag) => `--${flag}`),
      fc.string(),
    );
    const refusesAtMost = (argv: readonly string[]) => {
      try {
        load(['-dev', ...argv]);
      } catch (error) {
        assert.ok(error instanceof ProconsulError, String(error));
        assert.equal(error.code, 'invalid');
      }
    };
    const argv = fc.array(word, { maxLength: 6 });
    fc.assert(fc.property(argv, refusesAtMost), { seed: 4, numRuns: 1000 });
  });

  it('are listed after a complaint, and explained when asked', () => {
    assert.throws(() => load(['-nope']), /\nUsage:\n {2}-advertise value\n {4}\t/);
    const usage = usageOf('agent', '', AGENT_MANUAL);
    for (const name of AGENT_FLAGS.keys()) assert.ok(usage.includes(`\n  -${name}`), name);
  });
});
