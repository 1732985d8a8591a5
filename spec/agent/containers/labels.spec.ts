import assert from 'node:assert/strict';
import { readServices } from '../../../agent/containers/labels.ts';
import type { ServiceRegistration } from '../../../agent/containers/registrations.ts';
import type { DockerConfig } from '../../../lib/config/config.ts';
import {
  containerOf,
  idOf,
  optionsOf,
  published,
  type Shape,
} from '../../support/servers/containers.ts';

type Block = Partial<DockerConfig>;

function read(shape: Shape, block: Block = {}, others: readonly Shape[] = []) {
  const known = others.map(containerOf);
  return readServices(containerOf(shape), optionsOf(block), (id) =>
    known.find((container) => container.id === id),
  );
}

function services(shape: Shape, block?: Block, others?: readonly Shape[]) {
  const reading = read(shape, block, others);
  assert.deepEqual(reading.problems, []);
  return reading.services;
}

function only(shape: Shape, block?: Block, others?: readonly Shape[]): ServiceRegistration {
  const [service, ...more] = services(shape, block, others);
  assert.ok(service !== undefined && more.length === 0, `${1 + more.length} services`);
  return service;
}

const names = (list: readonly ServiceRegistration[]) => list.map(({ Name }) => Name);
const ids = (list: readonly ServiceRegistration[]) => list.map(({ ID }) => ID);
const WEB = { ports: published({ 80: 8080 }) };
const TWO = { ports: published({ 80: 8000, 443: 4443 }) };

describe('a container as a service', () => {
  it('is named as its image, with the host, its name and the port as id', () => {
    assert.deepEqual(only({ ...WEB, name: 'redis.0', image: 'progrium/redis' }), {
      ID: 'host:redis.0:80',
      Name: 'redis',
      Tags: [],
      Address: '192.168.1.102',
      Port: 8080,
      Meta: {
        'proconsul-source': 'docker',
        'container-id': idOf('redis.0'),
        'container-name': 'redis.0',
        'container-image': 'progrium/redis',
      },
      Checks: [],
    });
  });

  for (const [image, name] of [
    ['redis', 'redis'],
    ['redis:7', 'redis'],
    ['registry.local:5000/team/api:1.2', 'api'],
    ['team/api@sha256:0123', 'api'],
  ]) {
    it(`of the image ${image} is named ${name}`, () => {
      assert.equal(only({ ...WEB, image: image ?? '' }).Name, name);
    });
  }

  it('is none when it publishes no port', () => {
    assert.deepEqual(services({ expose: ['80/tcp'], ports: { '80/tcp': null } }), []);
  });

  it('is one for each of several ports, told apart by name', () => {
    const both = services({ ...TWO, name: 'nginx.0', image: 'nginx' });
    assert.deepEqual(names(both), ['nginx-80', 'nginx-443']);
    assert.deepEqual(ids(both), ['host:nginx.0:80', 'host:nginx.0:443']);
    assert.deepEqual(
      both.map(({ Port }) => Port),
      [8000, 4443],
    );
  });

  it('of UDP says so in its id and tags', () => {
    const dns = services({ name: 'dns', ports: published({ '53/tcp': 53, '53/udp': 53 }) });
    assert.deepEqual(ids(dns), ['host:dns:53', 'host:dns:53:udp']);
    assert.deepEqual(
      dns.map(({ Tags }) => Tags),
      [[], ['udp']],
    );
  });

  it('is where the port is bound, of several bindings at the first', () => {
    const bound = { '80/tcp': [{ HostIp: '10.0.0.7', HostPort: '1' }, { HostPort: '2' }] };
    const { Address, Port } = only({ ports: bound });
    assert.deepEqual([Address, Port], ['10.0.0.7', 1]);
  });
});

describe('SERVICE_NAME', () => {
  it('names the service', () => {
    assert.equal(only({ ...WEB, env: ['SERVICE_NAME=db'] }).Name, 'db');
  });

  it('gets the port after it when there are several', () => {
    assert.deepEqual(names(services({ ...TWO, env: ['SERVICE_NAME=db'] })), ['db-80', 'db-443']);
  });

  it('of one port is taken as it is', () => {
    const env = ['SERVICE_443_NAME=https', 'SERVICE_NAME=db'];
    assert.deepEqual(names(services({ ...TWO, env })), ['db-80', 'https']);
  });

  it('of another port says nothing', () => {
    assert.equal(only({ ...WEB, env: ['SERVICE_81_NAME=no'] }).Name, 'web');
  });

  it('that is empty is none', () => {
    assert.equal(only({ ...WEB, env: ['SERVICE_NAME='] }).Name, 'web');
  });
});

describe('SERVICE_ID', () => {
  it('replaces the id', () => {
    assert.equal(only({ ...WEB, env: ['SERVICE_ID=x.1'] }).ID, 'x.1');
  });

  it('of one port is that port’s', () => {
    const env = ['SERVICE_443_ID=https.12345'];
    assert.deepEqual(ids(services({ ...TWO, env })), ['host:web:80', 'https.12345']);
  });

  it('for several ports gets the port after it, for else one would hide the others', () => {
    assert.deepEqual(ids(services({ ...TWO, env: ['SERVICE_ID=x'] })), ['x-80', 'x-443']);
    const dns = { ports: published({ '53/tcp': 53, '53/udp': 53 }), env: ['SERVICE_ID=x'] };
    assert.deepEqual(ids(services(dns)), ['x-53', 'x-53:udp']);
  });
});

describe('SERVICE_TAGS', () => {
  const tags = (text: string) => only({ ...WEB, env: [`SERVICE_TAGS=${text}`] }).Tags;

  it('are separated by commas', () =>
    assert.deepEqual(tags('master,backups'), ['master', 'backups']));
  it('may hold an escaped comma', () =>
    assert.deepEqual(tags('/(;\\,:-_)/,b'), ['/(;,:-_)/', 'b']));
  it('are none where nothing is between commas', () =>
    assert.deepEqual(tags(',a,,b,'), ['a', 'b']));

  it('of one port replace those of all', () => {
    const env = ['SERVICE_TAGS=www', 'SERVICE_443_TAGS=tls'];
    const both = services({ ...TWO, env });
    assert.deepEqual(
      both.map(({ Tags }) => Tags),
      [['www'], ['tls']],
    );
  });
});

describe('SERVICE_IGNORE', () => {
  it('ignores the container, whatever it says', () => {
    assert.deepEqual(services({ ...WEB, env: ['SERVICE_IGNORE=1'] }), []);
  });

  it('of one port leaves the others, which are named as before', () => {
    assert.deepEqual(names(services({ ...TWO, env: ['SERVICE_443_IGNORE=true'] })), ['web-80']);
  });

  it('that is empty ignores nothing', () => {
    assert.equal(services({ ...WEB, env: ['SERVICE_IGNORE='] }).length, 1);
  });
});

describe('any other SERVICE_ATTRIBUTE', () => {
  const metaOf = (env: string[]) => only({ ...WEB, env }).Meta;

  it('is metadata in lower case', () => {
    assert.equal(metaOf(['SERVICE_REGION=us2'])['region'], 'us2');
  });

  it('of one port goes before that of all, whichever comes first', () => {
    for (const env of [
      ['SERVICE_SNI=all', 'SERVICE_80_SNI=one'],
      ['SERVICE_80_SNI=one', 'SERVICE_SNI=all'],
    ]) {
      assert.equal(metaOf(env)['sni'], 'one');
    }
  });

  it('of a label goes before that of a variable', () => {
    const labels = { SERVICE_REGION: 'label' };
    assert.equal(only({ ...WEB, labels, env: ['SERVICE_REGION=env'] }).Meta['region'], 'label');
  });

  it('that Consul would refuse is left out and said', () => {
    const env = [`SERVICE_LONG=${'x'.repeat(513)}`, 'SERVICE_A.B=1', 'SERVICE_OK=1'];
    const { services: found, problems } = read({ ...WEB, env });
    assert.equal(found[0]?.Meta['ok'], '1');
    assert.deepEqual(problems, [
      'attribute "long" cannot be metadata',
      'attribute "a.b" cannot be metadata',
    ]);
  });

  it('beyond 64 pairs is left out and said', () => {
    const env = Array.from({ length: 61 }, (_, n) => `SERVICE_X${n}=1`);
    const { services: found, problems } = read({ ...WEB, env });
    assert.equal(Object.keys(found[0]?.Meta ?? {}).length, 64);
    assert.deepEqual(problems, ['attribute "x60" cannot be metadata']);
  });

  it('cannot say that a service is not a container’s', () => {
    const labels = { 'SERVICE_PROCONSUL-SOURCE': 'me', SERVICE___proto__: 'x' };
    const { Meta } = only({ ...WEB, labels });
    assert.equal(Meta['proconsul-source'], 'docker');
    assert.ok(Object.hasOwn(Meta, '__proto__'));
  });
});

describe('labels service.*', () => {
  it('say the same as SERVICE_*', () => {
    const labels = {
      'service.name': 'db',
      'service.tags': 'a,b',
      'service.region': 'us2',
      'service.80.check.http': '/ok',
    };
    const { Name, Tags, Meta, Checks } = only({ ...WEB, labels });
    assert.deepEqual([Name, Tags, Meta['region']], ['db', ['a', 'b'], 'us2']);
    assert.equal(Checks[0]?.HTTP, 'http://192.168.1.102:8080/ok');
  });
});

describe('host networks, and networks of other containers', () => {
  it('register the exposed ports of a container on the host’s network', () => {
    const host = { network: 'host', networks: { host: '' } };
    const both = services({ ...host, expose: ['80/tcp'], bindings: { '81/tcp': null } });
    assert.deepEqual(
      both.map(({ Address, Port }) => `${Address}:${Port}`),
      ['192.168.1.102:80', '192.168.1.102:81'],
    );
  });

  it('use the address of the container whose network it is', () => {
    const pod = { name: 'pod', address: '172.17.0.9' };
    const member = { network: `container:${idOf('pod')}`, networks: {}, expose: ['80/tcp'] };
    const { Address, Port } = only(member, {}, [pod]);
    assert.deepEqual([Address, Port], ['172.17.0.9', 80]);
  });

  it('use the host’s address for published ports on a user’s network', () => {
    const { Address, Port } = only({ ...WEB, network: 'n1', networks: { n1: '172.18.0.2' } });
    assert.deepEqual([Address, Port], ['192.168.1.102', 8080]);
  });
});

describe('docker { ip }', () => {
  it('goes before the address that the port is bound to', () => {
    const ports = { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '1' }] };
    assert.equal(only({ ports }, { ip: '10.9.8.7' }).Address, '10.9.8.7');
  });
});

describe('docker { internal }', () => {
  const inside = { internal: true };

  it('registers exposed ports at the container’s own address', () => {
    const shape = { expose: ['80/tcp'], ports: { '80/tcp': null }, address: '172.17.0.5' };
    const { Address, Port } = only(shape, inside);
    assert.deepEqual([Address, Port], ['172.17.0.5', 80]);
  });

  it('of several networks takes the first by name', () => {
    const networks = { b: '10.2.0.2', a: '10.1.0.2' };
    assert.equal(only({ ...WEB, network: 'b', networks }, inside).Address, '10.1.0.2');
  });

  it('takes the network that proconsul.network names', () => {
    const shape = { ...WEB, networks: { a: '10.1.0.2', b: '10.2.0.2' } };
    const labels = { 'proconsul.network': 'b' };
    assert.equal(only({ ...shape, labels }, inside).Address, '10.2.0.2');
  });

  it('can be said for one container alone', () => {
    const labels = { 'proconsul.internal': 'true' };
    assert.equal(only({ ...WEB, labels }).Port, 80);
    assert.equal(only({ ...WEB, labels: { 'proconsul.internal': 'false' } }, inside).Port, 8080);
  });
});

describe('docker { explicit }', () => {
  it('registers only what has a name given', () => {
    const env = ['SERVICE_443_NAME=https'];
    assert.deepEqual(names(services({ ...TWO, env }, { explicit: true })), ['https']);
    assert.deepEqual(services(WEB, { explicit: true }), []);
  });
});

describe('docker { use_ip_from_label }', () => {
  const block = { useIpFromLabel: 'ip' };

  it('takes the address from the label, without its prefix', () => {
    assert.equal(only({ ...WEB, labels: { ip: '10.1.2.3/24' } }, block).Address, '10.1.2.3');
  });

  it('changes nothing where the label is missing', () => {
    assert.equal(only(WEB, block).Address, '192.168.1.102');
  });
});

describe('docker { tags }', () => {
  it('come after the container’s own', () => {
    const dns = { ports: published({ '53/udp': 53 }), env: ['SERVICE_TAGS=a'] };
    assert.deepEqual(only(dns, { tags: ['b,c'] }).Tags, ['a', 'b', 'c', 'udp']);
  });
});

describe('docker { opt_in } and proconsul.enable', () => {
  it('register only who asks for it', () => {
    const labels = { 'proconsul.enable': 'true' };
    assert.deepEqual(services(WEB, { optIn: true }), []);
    assert.equal(services({ ...WEB, labels }, { optIn: true }).length, 1);
  });

  it('leave out who asks for that', () => {
    assert.deepEqual(services({ ...WEB, labels: { 'proconsul.enable': 'false' } }), []);
  });
});

describe('proconsul.weights and proconsul.enable_tag_override', () => {
  it('are the service’s', () => {
    const labels = { 'proconsul.weights.passing': '10', 'proconsul.enable_tag_override': 'true' };
    const { Weights, EnableTagOverride } = only({ ...WEB, labels });
    assert.deepEqual(Weights, { Passing: 10, Warning: 1 });
    assert.equal(EnableTagOverride, true);
  });

  it('that are no weights are said, and are 1', () => {
    const { services: found, problems } = read({
      ...WEB,
      labels: { 'proconsul.weights.passing': '0', 'proconsul.weights.warning': '-1' },
    });
    assert.deepEqual(found[0]?.Weights, { Passing: 1, Warning: 1 });
    assert.deepEqual(problems, [
      'weight "0" is not between 1 and 65535',
      'weight "-1" is not between 0 and 65535',
    ]);
  });
});

describe('proconsul.services.<key>.*', () => {
  const named = {
    'proconsul.services.api.port': '80',
    'proconsul.services.api.tags': 'v1',
    'proconsul.services.api.meta.region': 'us2',
    'proconsul.services.api.meta.check.http': 'not a check',
    'proconsul.services.admin.port': '80',
    'proconsul.services.admin.name': 'api-admin',
    'proconsul.services.admin.check.http': '/admin',
    'proconsul.services.admin.weights.passing': '3',
  };

  it('are several services on one port, instead of the one without a name', () => {
    const [api, admin, ...more] = services({ ...WEB, labels: named });
    assert.deepEqual([api?.Name, api?.ID, api?.Port], ['api', 'host:web:api:80', 8080]);
    assert.deepEqual([api?.Tags, api?.Meta['region'], api?.Checks], [['v1'], 'us2', []]);
    assert.deepEqual([admin?.Name, admin?.ID], ['api-admin', 'host:web:admin:80']);
    assert.equal(admin?.Checks[0]?.HTTP, 'http://192.168.1.102:8080/admin');
    assert.deepEqual(admin?.Weights, { Passing: 3, Warning: 1 });
    assert.deepEqual(more, []);
  });

  it('leave the other ports as they are', () => {
    const labels = { 'proconsul.services.tls.port': '443' };
    assert.deepEqual(names(services({ ...TWO, labels })), ['tls', 'web-80']);
  });

  it('need no port when there is one', () => {
    assert.equal(only({ ...WEB, labels: { 'proconsul.services.a.tags': 'x' } }).Port, 8080);
  });

  it('may be on a port that nobody published, and somewhere else', () => {
    const labels = { 'proconsul.services.a.port': '9', 'proconsul.services.a.address': '10.0.0.1' };
    const { Address, Port } = only({ labels });
    assert.deepEqual([Address, Port], ['10.0.0.1', 9]);
  });

  it('without a port that could be meant are said to be wrong', () => {
    const { services: found, problems } = read({ labels: { 'proconsul.services.a.port': 'x' } });
    assert.deepEqual(found, []);
    assert.deepEqual(problems, ['proconsul.services.a says no port that the container has']);
  });
});
