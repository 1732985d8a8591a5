import assert from 'node:assert/strict';
import { MASTER, startAclServer } from '../../support/servers/acl-server.ts';
import { commandLineOf } from '../../support/servers/command-line.ts';
import { startServer } from '../../support/servers/start-server.ts';

describe('proconsul services export', () => {
  async function start() {
    const server = await startServer();
    return { ...server, run: commandLineOf(server.port) };
  }

  it('adds peers to those that may see a service, and lists them', async () => {
    const { run } = await start();
    assert.equal((await run('services exported-services')).out, 'No exported services found\n');
    const first = await run('services export -name=web -consumer-peers=east');
    assert.deepEqual(
      [first.code, first.out],
      [0, 'Successfully exported service "web" to cluster peers "east"\n'],
    );
    assert.match(first.hints?.[0] ?? '', /^No cluster is peered/);
    await run('services export -name=web -consumer-peers=west,east');
    await run('services export -name=db -consumer-peers=east');
    const { out } = await run('services exported-services');
    assert.equal(out, 'Service     Consumer Peers\nweb         east, west\ndb          east\n');
    const json = await run('services exported-services -format=json');
    assert.deepEqual(JSON.parse(json.out), [
      { Service: 'web', Consumers: { Peers: ['east', 'west'] } },
      { Service: 'db', Consumers: { Peers: ['east'] } },
    ]);
  });

  it('keeps what somebody wrote of consumers that are no peers', async () => {
    const { run, put, get } = await start();
    const Services = [{ Name: 'web', Consumers: [{ SamenessGroup: 'g' }] }];
    await put('/v1/config', { Kind: 'exported-services', Name: 'default', Services });
    await run('services export -name=web -consumer-peers=east');
    const { json } = await get('/v1/config/exported-services/default');
    const [web] = (json as { Services: { Consumers: object[] }[] }).Services;
    assert.equal(web?.Consumers.length, 2);
    assert.match(JSON.stringify(web), /"SamenessGroup":"g"/);
  });

  it('refuses what it cannot do', async () => {
    const { run } = await start();
    const refused = async (words: string) => (await run(`services export ${words}`)).err;
    assert.match(await refused('web'), /^Unexpected arguments: the service is named by -name/);
    assert.match(await refused('-consumer-peers=a'), /^Missing the required -name flag/);
    assert.match(await refused('-name=web -consumer-peers=,'), /^Missing the required -consumer-p/);
    assert.match(
      await refused('-name=web -consumer-partitions=a'),
      /^There are no partitions here/,
    );
  });

  it('asks for the right to change it', async () => {
    const { port } = await startAclServer();
    const run = commandLineOf(port);
    const { code, err } = await run('services export -name=web -consumer-peers=east');
    assert.equal(code, 1);
    assert.match(err, /403/);
    const allowed = await run(`services export -token=${MASTER} -name=web -consumer-peers=east`);
    assert.equal(allowed.code, 0);
  });
});
