import assert from 'node:assert/strict';
import { loadConfig } from '../../../lib/config/load.ts';
import { fakeConfigHost } from '../../support/fakes/fake-config-host.ts';

const load = (hcl: string) =>
  loadConfig({ argv: ['-dev', '-bind=127.0.0.1', '-hcl', hcl], host: fakeConfigHost() });
const sink = (keys: string) => `audit { enabled = true sink "My sink" { ${keys} } }`;
const FILE = 'type = "file" format = "json" path = "/tmp/audit.json"';

describe('audit', () => {
  it('is read as Consul Enterprise documents it', () => {
    const { config, warnings } = load(
      sink(
        `${FILE} delivery_guarantee = "best-effort" rotate_duration = "24h" rotate_max_files = 15 rotate_bytes = 25165824`,
      ),
    );
    assert.deepEqual(config.audit, [
      {
        name: 'My sink',
        path: '/tmp/audit.json',
        mode: 0o600,
        rotateBytes: 25165824,
        rotateDurationMs: 24 * 3600_000,
        rotateMaxFiles: 15,
      },
    ]);
    assert.deepEqual(
      warnings.filter((line) => line.includes('audit')),
      [],
    );
  });

  it('is none where it is not enabled, whatever sinks there are', () => {
    assert.deepEqual(load('audit { sink "a" { type = "file" } }').config.audit, []);
  });

  for (const [hcl, complaint] of [
    ['audit { enabled = true }', /there is no audit\.sink to write to/],
    [sink('type = "file"'), /audit\.sink\["My sink"\]\.path must be set/],
    [sink(`${FILE} mode = "rw"`), /audit\.sink\["My sink"\]\.mode cannot be "rw"/],
    [sink(`${FILE} delivery_guarantee = "enforced"`), /\.delivery_guarantee cannot be "enforced"/],
    [sink('type = "syslog" path = "/x"'), /audit\.sink\["My sink"\]\.type cannot be "syslog"/],
    [sink(`${FILE} format = "text"`), /\.format cannot be "text"/],
    [sink(`${FILE} rotate_bytes = -1`), /\.rotate_bytes cannot be -1/],
    [sink(`${FILE} rotate_hours = 1`), /invalid config key rotate_hours/],
    [sink(`${FILE} rotate_duration = "1 day"`), /\.rotate_duration: invalid duration/],
  ] as const) {
    it(`is refused by name: ${hcl}`, () => assert.throws(() => load(hcl), complaint));
  }
});
