import assert from 'node:assert/strict';
import { loadConfig } from '../../../lib/config/load.ts';
import { fakeConfigHost } from '../../support/fakes/fake-config-host.ts';

function load(notify: readonly object[], more: object = {}) {
  const files = { '/c.json': JSON.stringify({ notify, ...more }) };
  const argv = ['-dev', '-bind=127.0.0.1', '-config-file=/c.json'];
  return loadConfig({ argv, host: fakeConfigHost({ files }), redisUrl: undefined });
}

const SLACK = { name: 'a', slack: 'https://hooks/secret' };

const REFUSED: readonly (readonly [object, RegExp])[] = [
  [{ slack: 'https://x' }, /needs a name/],
  [{ name: 'a b', slack: 'https://x' }, /needs a name/],
  [{ name: 'a' }, /needs one of webhook, slack, alertmanager, args/],
  [{ ...SLACK, webhook: 'https://y' }, /needs one of/],
  [{ ...SLACK, args: ['x'] }, /needs one of/],
  [{ name: 'a', slack: 'file:///secret' }, /slack is no http\(s\):\/\/ URL$/],
  [{ ...SLACK, on: ['sometimes'] }, /on knows critical, .* and not sometimes/],
  [{ ...SLACK, debounce: 'soon' }, /invalid duration "soon"/],
  [{ ...SLACK, header: { A: ['b\nc'] } }, /the header A cannot be sent/],
  [{ ...SLACK, color: 'red' }, /does not know color/],
];

describe('notify in a configuration', () => {
  for (const [target, complaint] of REFUSED) {
    it(`is refused by place, without its secrets: ${JSON.stringify(target)}`, () => {
      assert.throws(
        () => load([target]),
        ({ message }: Error) => {
          assert.match(message, /^notify\[0\]: /);
          assert.match(message, complaint);
          return !message.includes('secret');
        },
      );
    });
  }

  it('has defaults, and shows nothing of itself', () => {
    const { config } = load([SLACK, { name: 'b', args: ['x'], debounce: '0s', services: 'web' }]);
    const [a, b] = config.notify;
    assert.deepEqual(a, {
      name: 'a',
      services: ['*'],
      on: ['critical', 'warning', 'passing', 'gone'],
      debounceMs: 10_000,
      timeoutMs: 10_000,
      way: { kind: 'slack', url: 'https://hooks/secret', headers: {}, skipVerify: false },
    });
    assert.deepEqual([b?.debounceMs, b?.services], [0, ['web']]);
    assert.ok(!JSON.stringify(config.shown).includes('secret'));
  });

  it('names each target once, and sixteen at most', () => {
    assert.throws(() => load([SLACK, SLACK]), /notify\[1\]: a is there twice/);
    const many = Array.from({ length: 17 }, (_, i) => ({ ...SLACK, name: `t${i}` }));
    assert.throws(() => load(many), /at most 16 are told/);
  });
});
