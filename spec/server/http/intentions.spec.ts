import assert from 'node:assert/strict';
import { startAclServer } from '../../support/servers/acl-server.ts';
import { startServer } from '../../support/servers/start-server.ts';

const PATH = '/v1/connect/intentions';
const intention = (SourceName: string, DestinationName: string, Action = 'allow') => ({
  SourceName,
  DestinationName,
  Action,
});

describe('/v1/connect/intentions', () => {
  it('are parts of the entry of their destination, and keep their ids when that is written', async () => {
    const { ask, put, get } = await startServer();
    const made = await ask('POST', PATH, { body: intention('web', 'db') });
    const { ID } = made.json as { ID: string };
    const entry = (await get('/v1/config/service-intentions/db')).json as { Sources: object[] };
    assert.deepEqual(entry.Sources, [
      { Name: 'web', Action: 'allow', Precedence: 9, Type: 'consul' },
    ]);
    const Sources = [
      { Name: 'web', Action: 'deny', LegacyID: 'made-up' },
      { Name: '*', Permissions: [{ Action: 'allow', HTTP: { PathPrefix: '/x' } }] },
    ];
    await put('/v1/config', { Kind: 'service-intentions', Name: 'db', Sources });
    const listed = (await get(PATH)).json as {
      ID: string;
      Action: string;
      Permissions?: object[];
    }[];
    assert.deepEqual(
      listed.map((each) => [each.ID, each.Action, each.Permissions?.length]),
      [
        [ID, 'deny', undefined],
        ['', '', 1],
      ],
    );
    const checked = await get(`${PATH}/check?source=other&destination=db`);
    assert.deepEqual(checked.json, { Allowed: false });
  });

  it('say when they were changed as a part of their entry, and which of them were not', async () => {
    const { ask, put, get, clock } = await startServer();
    for (const source of ['web', 'api']) {
      await ask('POST', PATH, { body: intention(source, 'db') });
    }
    interface Shown {
      readonly CreatedAt: string;
      readonly UpdatedAt: string;
      readonly ModifyIndex: number;
    }
    const shown = async (source: string) =>
      (await get(`${PATH}/exact?source=${source}&destination=db`)).json as Shown;
    const before = [await shown('web'), await shown('api')] as const;
    const write = async (web: object, more: object = {}) => {
      await clock.advance(60_000);
      const Sources = [
        { Name: 'web', Action: 'allow', ...web },
        { Name: 'api', Action: 'allow' },
      ];
      await put('/v1/config', { Kind: 'service-intentions', Name: 'db', Sources, ...more });
      return {
        now: new Date(clock.now()).toISOString(),
        all: [await shown('web'), await shown('api')],
      };
    };
    assert.deepEqual((await write({})).all, before);
    const other = await write({ Action: 'deny' });
    const [web, api] = other.all;
    assert.deepEqual([web?.UpdatedAt, web?.CreatedAt], [other.now, before[0].CreatedAt]);
    assert.ok(Number(web?.ModifyIndex) > before[0].ModifyIndex);
    assert.deepEqual(api, before[1]);
    const token = await write({ Action: 'deny' }, { JWT: { Providers: [{ Name: 'p' }] } });
    for (const each of token.all) assert.equal(each?.UpdatedAt, token.now);
  });

  it('are listed for one service as of an index that others do not change', async () => {
    const { ask, get } = await startServer();
    const about = (filter: string) => get(`${PATH}?filter=${encodeURIComponent(filter)}`);
    const index = async () =>
      Number(
        (await about('DestinationName == "db" or DestinationName == "*"')).headers[
          'x-consul-index'
        ],
      );
    const add = (...ends: readonly [string, string, string?]) =>
      ask('POST', PATH, { body: intention(...ends) });
    await add('web', 'db');
    const first = await index();
    await add('web', 'api');
    await add('web', 'DB2', 'deny');
    assert.equal(await index(), first);
    await add('ops', 'db', 'deny');
    const second = await index();
    assert.ok(second > first);
    await add('*', '*', 'deny');
    assert.ok((await index()) > second);
    const all = (await get(PATH)).json as { SourceName: string; DestinationName: string }[];
    const named = (list: unknown) =>
      (list as typeof all).map((each) => `${each.SourceName} ${each.DestinationName}`);
    for (const [filter, isMeant] of [
      ['DestinationName == db', ({ DestinationName: to }) => to === 'db'],
      ['DestinationName == DB', () => false],
      ['DestinationName == db and Action == deny', ({ SourceName: by }) => by === 'ops'],
      ['DestinationName == db or Action == allow', ({ DestinationName: to }) => /db|api/.test(to)],
      ['DestinationName != db', ({ DestinationName: to }) => to !== 'db'],
      ['not DestinationName == db', ({ DestinationName: to }) => to !== 'db'],
    ] as readonly (readonly [string, (each: (typeof all)[number]) => boolean])[]) {
      assert.deepEqual(named((await about(filter)).json), named(all.filter(isMeant)), filter);
    }
  });

  it('are written by their names too, the same twice being one', async () => {
    const { put, get, del } = await startServer();
    const exact = `${PATH}/exact?source=web&destination=default/db`;
    assert.equal((await put(exact, { Action: 'deny' })).text, 'true');
    assert.equal((await put(exact, { Action: 'allow', Description: 'd' })).text, 'true');
    const all = (await get(PATH)).json as { Action: string; Description: string }[];
    assert.deepEqual(
      all.map(({ Action, Description }) => [Action, Description]),
      [['allow', 'd']],
    );
    assert.equal((await del(exact)).text, 'true');
    assert.equal((await get(exact)).status, 404);
    assert.deepEqual((await get('/v1/config/service-intentions')).json, []);
  });

  it('are about a caller whose name is written so, for case counts in rules too', async () => {
    const { ask, get } = await startServer();
    await ask('POST', PATH, { body: intention('web', 'db') });
    await ask('POST', PATH, { body: intention('*', 'db', 'deny') });
    const allows = async (source: string) =>
      (await get(`${PATH}/check?source=${source}&destination=DB`)).json;
    assert.deepEqual(await allows('web'), { Allowed: true });
    assert.deepEqual(await allows('WEB'), { Allowed: false });
  });

  it('are asked for by a few names at once, for those of wildcards are told for each', async () => {
    const { get } = await startServer();
    const asking = (many: number) => {
      const names = Array.from({ length: many }, (_, i) => `name=s${i}&name=s${i}`);
      return get(`${PATH}/match?by=source&${names.join('&')}`);
    };
    assert.equal(Object.keys((await asking(16)).json as object).length, 16);
    assert.equal((await asking(17)).status, 413);
  });

  it('are as many of one destination as an entry may have sources', async () => {
    const { put } = await startServer();
    const Sources = Array.from({ length: 4096 }, (_, i) => ({ Name: `s${i}`, Action: 'allow' }));
    await put('/v1/config', { Kind: 'service-intentions', Name: 'db', Sources });
    const exact = (source: string) => `${PATH}/exact?source=${source}&destination=db`;
    const { status, text } = await put(exact('new'), { Action: 'deny' });
    assert.deepEqual(
      [status, text],
      [500, 'intentions on calls to "db" have 4096 sources at most'],
    );
    assert.equal((await put(exact('s0'), { Action: 'deny' })).status, 200);
  });

  it('leave what an entry says besides: sources of other clusters that have the same name, and its own', async () => {
    const { put, get, del } = await startServer();
    const path = '/v1/config/service-intentions/db';
    const exact = `${PATH}/exact?source=web&destination=db`;
    const Sources = [
      { Name: 'web', Action: 'allow' },
      { Name: 'web', Peer: 'elsewhere', Action: 'deny' },
      { Name: 'web', SamenessGroup: 'all', Action: 'deny' },
    ];
    const Meta = { of: 'us' };
    await put('/v1/config', { Kind: 'service-intentions', Name: 'db', Sources, Meta });
    const entry = async () => (await get(path)).json as { Sources: typeof Sources; Meta: object };
    const peers = ({ Sources: all }: { Sources: typeof Sources }) =>
      all.map(({ Name, Peer = '', SamenessGroup = '', Action }) => [
        ...[Name, Peer, SamenessGroup, Action],
      ]);
    const others = [
      ['web', 'elsewhere', '', 'deny'],
      ['web', '', 'all', 'deny'],
    ];

    assert.equal((await put(exact, { Action: 'deny' })).text, 'true');
    assert.deepEqual(peers(await entry()), [...others, ['web', '', '', 'deny']]);
    assert.equal((await del(exact)).text, 'true');
    assert.deepEqual(peers(await entry()), others);

    const only = [{ Name: 'web', Action: 'deny' }];
    const JWT = { Providers: [{ Name: 'okta' }] };
    await put('/v1/config', { Kind: 'service-intentions', Name: 'db', Sources: only, Meta, JWT });
    assert.equal((await put(exact, { Action: 'allow' })).text, 'true');
    const { Sources: last, ...rest } = (await get(path)).json as Awaited<ReturnType<typeof entry>>;
    assert.equal(last[0]?.Action, 'allow');
    assert.deepEqual([rest.Meta, (rest as { JWT?: object }).JWT], [Meta, JWT]);
  });

  it('give their ids to no source of another cluster, which would hand them on', async () => {
    const { put, get } = await startServer();
    const exact = `${PATH}/exact?source=web&destination=db`;
    const idOf = async () => ((await get(exact)).json as { ID: string }).ID;
    const write = (Sources: readonly object[]) =>
      put('/v1/config', { Kind: 'service-intentions', Name: 'db', Sources });
    const web = { Name: 'web', Action: 'allow' };
    const elsewhere = { ...web, Peer: 'elsewhere' };
    await put(exact, { Action: 'allow' });
    const ID = await idOf();
    await write([web, elsewhere]);
    assert.equal(await idOf(), ID);
    await put(`${PATH}/${ID}`, intention('api', 'db'));
    await write([{ Name: 'api', Action: 'allow' }, web, elsewhere]);
    assert.equal(await idOf(), '');
  });

  it('are listed as written where an entry asks for the token of a user, and judged to let nobody in', async () => {
    const { put, get } = await startServer();
    const JWT = { Providers: [{ Name: 'okta' }] };
    const Permissions = [{ Action: 'allow', HTTP: { PathPrefix: '/' } }];
    const Sources = [
      { Name: 'web', Action: 'allow' },
      { Name: 'api', Permissions },
    ];
    await put('/v1/config', { Kind: 'service-intentions', Name: 'db', Sources, JWT });
    type Row = { SourceName: string; Action: string; Permissions?: object[]; JWT?: object };
    const told = ({ SourceName, Action, Permissions: said, JWT: asked }: Row) => [
      ...[SourceName, Action, said, asked],
    ];
    const web = ['web', 'allow', undefined, JWT];
    assert.deepEqual(((await get(PATH)).json as Row[]).map(told), [
      ['api', '', Permissions, JWT],
      web,
    ]);
    const exact = await get(`${PATH}/exact?source=web&destination=db`);
    assert.deepEqual(told(exact.json as Row), web);

    const checked = await get(`${PATH}/check?source=web&destination=db`);
    assert.deepEqual(checked.json, { Allowed: false });
    const by = async (end: string, name: string) => {
      const { json } = await get(`${PATH}/match?by=${end}&name=${name}`);
      return (json as Record<string, Row[]>)[name]?.map(told);
    };
    const shut = ['web', 'deny', undefined, undefined];
    assert.deepEqual(await by('source', 'web'), [shut]);
    assert.deepEqual(await by('destination', 'db'), [
      ['api', '', [{ ...Permissions[0], JWT }], undefined],
      shut,
    ]);
  });

  it('are taken back as they are shown, with the token that their entry asks for, and with no other', async () => {
    const { put, get } = await startServer();
    const JWT = { Providers: [{ Name: 'okta' }] };
    const Sources = [{ Name: 'web', Action: 'allow' }];
    const Entry = { Kind: 'service-intentions', Name: 'db', Sources, JWT };
    await put('/v1/config', Entry);
    const exact = `${PATH}/exact?source=web&destination=db`;
    const shown = (await get(exact)).json as object;
    assert.equal((await put(exact, { ...shown, Action: 'deny' })).text, 'true');
    const entry = (await get('/v1/config/service-intentions/db')).json as { JWT: object };
    assert.deepEqual(entry.JWT, JWT);
    const other = { ...shown, JWT: { Providers: [{ Name: 'other' }] } };
    for (const to of [exact, `${PATH}/exact?source=web&destination=api`]) {
      const refused = await put(to, other);
      assert.deepEqual([refused.status, refused.text.includes('JWT is of all')], [500, true]);
    }
  });

  it('wake who waits on them by a change alone', async () => {
    const { ask, get, put, clock } = await startServer();
    await ask('POST', PATH, { body: intention('web', 'db') });
    const { index } = await get(PATH);
    const waiting = get(`${PATH}?index=${index}`);
    await clock.untilArmed();
    await put('/v1/config', { Kind: 'service-defaults', Name: 'db' });
    await ask('POST', PATH, { body: intention('*', 'db', 'deny') });
    assert.equal(((await waiting).json as object[]).length, 2);
  });

  it('are changed by whoever may, of both destinations where one is moved, and seen by either end', async () => {
    const { as, master } = await startAclServer();
    const tokenOf = async (Name: string, Rules: string) => {
      await master('PUT', '/v1/acl/policy', { Name, Rules });
      return (await master('PUT', '/v1/acl/token', { Policies: [{ Name }] }))['SecretID'] ?? '';
    };
    const rule = (name: string, level: string) =>
      `service "${name}" { policy = "write" intentions = "${level}" }`;
    const db = await tokenOf('db', rule('db', 'write'));
    const web = await tokenOf('web', rule('web', 'read'));
    const other = await tokenOf('other', rule('other', 'write'));
    const made = await as(db, 'POST', PATH, intention('web', 'db'));
    assert.equal(made.status, 200);
    const { ID } = made.json as { ID: string };
    const statusOf = async (...args: Parameters<typeof as>) => (await as(...args)).status;
    assert.equal(await statusOf(other, 'POST', PATH, intention('web', 'db')), 403);
    assert.equal(await statusOf(other, 'PUT', `${PATH}/${ID}`, intention('web', 'other')), 403);
    assert.equal(await statusOf(db, 'PUT', `${PATH}/${ID}`, intention('web', 'other')), 403);
    assert.equal(await statusOf(other, 'DELETE', `${PATH}/${ID}`), 403);
    assert.equal(await statusOf(other, 'DELETE', `${PATH}/exact?source=web&destination=db`), 403);
    assert.equal(await statusOf(web, 'GET', `${PATH}/${ID}`), 200);
    // To whoever may not see one, it is as if there were none.
    const absent = '00000000-1111-2222-3333-444444444444';
    for (const id of [ID, absent]) {
      assert.equal(await statusOf(other, 'GET', `${PATH}/${id}`), 404);
      assert.equal(await statusOf(other, 'PUT', `${PATH}/${id}`, intention('web', 'other')), 403);
      assert.equal(await statusOf(other, 'DELETE', `${PATH}/${id}`), 403);
    }
    for (const destination of ['db', 'absent']) {
      const path = `${PATH}/exact?source=web2&destination=${destination}`;
      assert.equal(await statusOf(other, 'GET', path), 403);
    }
    assert.deepEqual((await as(other, 'GET', PATH)).json, []);
    assert.equal(((await as(web, 'GET', PATH)).json as object[]).length, 1);
    assert.equal(await statusOf(other, 'GET', `${PATH}/match?by=destination&name=db`), 403);
    assert.equal(await statusOf(other, 'GET', `${PATH}/check?source=web&destination=db`), 403);
    // Who may see the service may ask whether it may be called, and sees no intention by that.
    const seer = await tokenOf('seer', rule('db', 'deny'));
    assert.equal(await statusOf(seer, 'GET', `${PATH}/match?by=destination&name=db`), 403);
    assert.equal(await statusOf(seer, 'GET', `${PATH}/check?source=web&destination=db`), 200);
    const denied = await as(db, 'GET', `${PATH}/check?source=none&destination=db`);
    assert.deepEqual(denied.json, { Allowed: false });
    assert.equal(
      await statusOf(other, 'PUT', '/v1/config', {
        Kind: 'service-intentions',
        Name: 'db',
        Sources: [{ Name: '*', Action: 'allow' }],
      }),
      403,
    );
    assert.equal(await statusOf(db, 'DELETE', `${PATH}/${ID}`), 200);
  });
});
