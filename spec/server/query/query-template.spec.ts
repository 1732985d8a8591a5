import assert from 'node:assert/strict';
import { startServer } from '../../support/servers/start-server.ts';

interface Explained {
  readonly Query: { readonly Service: { readonly Service: string; readonly Tags: string[] } };
}

async function start(service: object, template: object = {}) {
  const server = await startServer();
  const created = await server.ask('POST', '/v1/query', {
    body: {
      Name: 'geo',
      Template: { Type: 'name_prefix_match', ...template },
      Service: { Service: 'x', ...service },
    },
  });
  const explain = async (name: string) => {
    const answer = await server.get(`/v1/query/${name}/explain`);
    return { ...answer, query: (answer.json as Explained).Query };
  };
  return { ...server, created, explain };
}

describe('a template of a prepared query', () => {
  it('fills in the name, its suffix and the groups of its pattern', async () => {
    const { explain } = await start(
      { Service: `\${name.suffix}`, Tags: [`\${match(1)}`, `\${match( 2 )}`, `$\${name.full}`] },
      { Regexp: '^geo-(.)(.*)$' },
    );
    const { query } = await explain('geo-db');
    assert.equal(query.Service.Service, '-db');
    assert.deepEqual(query.Service.Tags, ['d', 'b', `\${name.full}`]);
  });

  for (const [what, name, status] of [
    ['as long as a template answers for', 'geo'.padEnd(1024, 'o'), 200],
    ['longer than that', 'geo'.padEnd(1025, 'o'), 404],
    ['of 14 KB', 'geo'.padEnd(14_000, 'o'), 404],
  ] as const) {
    it(`answers ${status} for a name ${what}`, async () => {
      const { get } = await start(
        { Service: `\${match(0)}` },
        { Regexp: `^${'(o|g|e)*'.repeat(50)}` },
      );
      assert.equal((await get(`/v1/query/${name}/execute`)).status, status);
    });
  }

  it('is refused when its texts grow too long with the name', async () => {
    const { created, get } = await start({ Tags: [`\${name.full}`.repeat(5000)] });
    assert.equal(created.status, 200);
    assert.equal((await get('/v1/query/geo/execute')).status, 200);
    const { status, text } = await get(`/v1/query/${'geo'.padEnd(1000, 'o')}/execute`);
    assert.equal(status, 500);
    assert.match(text, /more than 262144 characters/);
  });

  for (const [what, text] of [
    ['blanks', `\${match(${' '.repeat(500_000)}x)}`],
    ['openings', '${'.repeat(200_000)],
    ['dollars', '$'.repeat(500_000)],
    ['words', `\${${'a'.repeat(500_000)}`],
  ] as const) {
    it(`is read in one go when it is made of ${what}`, async () => {
      const { created } = await start({ Service: text });
      assert.equal(created.status, what === 'dollars' ? 200 : 500);
    });
  }
});
