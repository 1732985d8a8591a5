import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandLineOf } from '../../support/servers/command-line.ts';
import { startServer } from '../../support/servers/start-server.ts';

async function start() {
  const server = await startServer();
  const run = commandLineOf(server.port);
  const config = async (body: object) => {
    const { status, text } = await server.put('/v1/config', body);
    assert.equal(status, 200, text);
  };
  return { ...server, run, config };
}

/** Words, output, error and exit code of one command after another, as recorded of 1.8.7. */
type Said = readonly [words: string, out: string, err: string, code: number];

async function says(run: ReturnType<typeof commandLineOf>, said: readonly Said[]) {
  for (const [words, out, err, code] of said) {
    assert.deepEqual(await run(words), { out, err: err && `${err}\n`, code }, words);
  }
}

describe('proconsul connect expose', () => {
  const WRITTEN = 'Successfully updated config entry for ingress service "in"\n';
  const made = (service: string) =>
    `${WRITTEN}Successfully set up intention for "in" -> "${service}"\n`;
  const again = (service: string, port: number) =>
    `Updating service definition for "${service}" on listener with port ${port}\n${WRITTEN}` +
    `Intention already exists for "in" -> "${service}"\n`;

  it('writes what the gateway listens for, and an intention, once and again', async () => {
    const { run, config, get } = await start();
    for (const name of ['h1', 'h2']) {
      await config({ Kind: 'service-defaults', Name: name, Protocol: 'http' });
    }
    const expose = 'connect expose -ingress-gateway=in';
    await says(run, [
      [`${expose} -service=web -port=8080`, made('web'), '', 0],
      [`${expose} -service=web -port=8080 -protocol=TCP`, again('web', 8080), '', 0],
      [`${expose} -service=h1 -port=90 -protocol=http -host=a -host=b`, made('h1'), '', 0],
      [`${expose} -service=h2 -port=90 -protocol=http`, made('h2'), '', 0],
      [`${expose} -service=h2 -port=90 -protocol=http -host=c`, again('h2', 90), '', 0],
    ]);
    const entry = (await get('/v1/config/ingress-gateway/in')).json as { Listeners: unknown };
    assert.deepEqual(entry.Listeners, [
      { Port: 8080, Protocol: 'tcp', Services: [{ Name: 'web', Hosts: null }] },
      {
        ...{ Port: 90, Protocol: 'http' },
        Services: [
          { Name: 'h1', Hosts: ['a', 'b'] },
          { Name: 'h2', Hosts: ['c'] },
        ],
      },
    ]);
    await says(run, [['intention check in h2', 'Allowed\n', '', 0]]);
  });

  it('leaves what else the entry says as it is', async () => {
    const { run, config, get } = await start();
    await config({ Kind: 'service-defaults', Name: 'web', Protocol: 'http' });
    const Services = [{ Name: 'web', Hosts: ['a'], RequestHeaders: { Set: { x: '1' } } }];
    const Listeners = [{ Port: 1, Protocol: 'http', Services }];
    await config({ Kind: 'ingress-gateway', Name: 'in', Meta: { k: 'v' }, Listeners });
    await run('connect expose -ingress-gateway=in -service=web -port=1 -protocol=http');
    const { text } = await get('/v1/config/ingress-gateway/in');
    assert.match(text, /"Hosts":null,"RequestHeaders":\{"Set":\{"x":"1"\}\}/);
    assert.match(text, /"Meta":\{"k":"v"\}/);
  });

  it('lets a gateway call that was denied, and touches no intention by what is called', async () => {
    const { run, config, get } = await start();
    await run('intention create -deny in web');
    const Permissions = [{ Action: 'deny', HTTP: { PathPrefix: '/x' } }];
    await config({ Kind: 'service-defaults', Name: 'h', Protocol: 'http' });
    await config({ Kind: 'service-intentions', Name: 'h', Sources: [{ Name: 'in', Permissions }] });
    await says(run, [
      ['connect expose -ingress-gateway=in -service=web -port=1', made('web'), '', 0],
      [
        'connect expose -ingress-gateway=in -service=h -port=2 -protocol=http',
        `${WRITTEN}Intention already exists for "in" -> "h"\n`,
        ...(['', 0] as const),
      ],
    ]);
    assert.match((await get('/v1/config/service-intentions/h')).text, /"PathPrefix":"\/x"/);
  });

  it('says what is missing and what cannot be', async () => {
    const { run } = await start();
    await run('connect expose -ingress-gateway=in -service=web -port=80');
    const expose = 'connect expose -ingress-gateway=in -service=';
    const refusal = 'Error writing ingress config entry: Unexpected response code: 500';
    await says(run, [
      ['connect expose', '', 'A service name must be given via the -service flag.', 1],
      [
        'connect expose -service=web',
        '',
        ...([
          'An ingress gateway service must be given via the -ingress-gateway flag.',
          1,
        ] as const),
      ],
      [`${expose}web`, '', 'A port must be provided via the -port flag.', 1],
      [
        `${expose}api -port=80 -protocol=http`,
        '',
        ...(['Listener on port 80 already configured with conflicting protocol "tcp"', 1] as const),
      ],
      [
        `${expose}api -port=81 -protocol=http`,
        '',
        `${refusal} (service "api" has protocol "tcp", which does not match defined listener protocol "http")`,
        1,
      ],
      [
        `${expose}api -port=80`,
        '',
        `${refusal} (Multiple services per listener are only supported for protocol = 'http' (listener on port 80))`,
        1,
      ],
      [
        `${expose}a/b/c -port=80`,
        '',
        ...(["Invalid service name: target can contain at most one '/'", 1] as const),
      ],
    ]);
  });
});

describe('proconsul intention', () => {
  it('makes intentions, says what they come to, and deletes them', async () => {
    const { run } = await start();
    await says(run, [
      ['intention create web db', 'Created: web => db (allow)\n', '', 0],
      ['intention create -deny web api', 'Created: web => api (deny)\n', '', 0],
      ['intention create -deny * db', 'Created: * => db (deny)\n', '', 0],
      ['intention check web db', 'Allowed\n', '', 0],
      ['intention check web api', 'Denied\n', '', 1],
      ['intention check other db', 'Denied\n', '', 1],
      ['intention check other thing', 'Allowed\n', '', 0],
      ['intention match db', 'web => db (allow)\n* => db (deny)\n', '', 0],
      [
        'intention match -source web',
        'web => api (deny)\nweb => db (allow)\n* => db (deny)\n',
        '',
        0,
      ],
      ['intention match nothing', '', '', 0],
      ['intention delete web db', 'Intention deleted.\n', '', 0],
      ['intention check web db', 'Denied\n', '', 1],
    ]);
  });

  it('shows one with its meta, by its ends and by its id', async () => {
    const { run } = await start();
    await run('intention create -meta c=d -meta a=b web db');
    const { out } = await run('intention get web db');
    assert.match(
      out,
      /^Source: {2}web\nDestination: {2}db\nAction: {2}allow\nID: {2}[0-9a-f-]{36}\nMeta\[a\]: {2}b\nMeta\[c\]: {2}d\nCreated At: {2}[A-Z]\w+day, \d\d-[A-Z]\w\w-\d\d [\d:]{8} UTC\n$/,
    );
    const id = /ID: {2}(\S+)/.exec(out)?.[1];
    assert.equal((await run(`intention get ${id}`)).out, out);
    assert.equal((await run(`intention delete ${id}`)).out, 'Intention deleted.\n');
    const none = 'Error: Intention with source "web" and destination "db" not found.';
    await says(run, [
      ['intention get web db', '', none, 1],
      ['intention delete web db', '', none, 1],
    ]);
  });

  it('replaces one where it is told to, and else refuses a second', async () => {
    const { run } = await start();
    await run('intention create -deny web db');
    const second = await run('intention create web db');
    assert.equal(second.code, 1);
    assert.match(
      second.err,
      /^Error creating intention "web => db \(allow\)": .*duplicate intention found: /,
    );
    await says(run, [
      ['intention create -replace web db', '', '', 0],
      ['intention check web db', 'Allowed\n', '', 0],
      ['intention create -replace web new', 'Created: web => new (allow)\n', '', 0],
    ]);
  });

  it('reads intentions from files, each of one', async () => {
    const { run } = await start();
    const folder = mkdtempSync(join(tmpdir(), 'intentions-'));
    after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'web.json');
    writeFileSync(file, '{"SourceName":"web","DestinationName":"db","Action":"deny"}');
    await says(run, [
      [`intention create -file ${file}`, 'Created: web => db (deny)\n', '', 0],
      [
        `intention create -file ${folder}/none.json`,
        '',
        `Error: open ${folder}/none.json: no such file or directory`,
        1,
      ],
    ]);
    const { err, code } = await run('intention create -file -', { stdin: '{' });
    assert.match(err, /^Error: /);
    assert.equal(code, 1);
  });

  it('says what is missing', async () => {
    const { run } = await start();
    const two = 'Error: Must specify two arguments: source and destination';
    const oneOrTwo = 'Error: command requires exactly 1 or 2 arguments';
    const one = 'Error: command requires exactly one argument: src or dst';
    await says(run, [
      ['intention create', '', two, 1],
      ['intention create a b c', '', two, 1],
      [
        'intention create -allow -deny a b',
        '',
        ...(['Only one of -allow or -deny may be specified.', 1] as const),
      ],
      ['intention check web', '', 'Error: command requires exactly two arguments: src and dst', 2],
      ['intention match', '', one, 1],
      ['intention match a b', '', one, 1],
      [
        'intention match -source -destination a',
        '',
        ...(['Error: only one of -source or -destination may be specified', 1] as const),
      ],
      ['intention get', '', oneOrTwo, 1],
      ['intention delete a b c', '', oneOrTwo, 1],
      [
        'intention get nonsense',
        '',
        'Error reading the intention: Unexpected response 400: ' +
          'Bad request: failed intention lookup: index error: UUID must be 36 characters',
        1,
      ],
    ]);
  });
});
