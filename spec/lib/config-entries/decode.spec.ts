import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseHcl } from '../../../lib/config/hcl.ts';
import { decodeEntry, KINDS, refuseFaulty } from '../../../lib/config-entries/kinds.ts';
import { archivedEntry, shownEntry, shownFields } from '../../../lib/config-entries/shown.ts';
import { messageOf } from '../../../lib/errors.ts';
import { decodeJson, encodeJson } from '../../../lib/json.ts';
import { configEntry } from '../../support/experiments/config-entries.ts';
import { SEED } from '../../support/seed.ts';

const shown = (value: object) => shownFields(decodeEntry(value));
const complaint = (value: unknown) => {
  try {
    refuseFaulty(decodeEntry(value));
    return '';
  } catch (error) {
    return messageOf(error);
  }
};
const resolver = (over: object) => ({ Kind: 'service-resolver', Name: 'r', ...over });
const router = (...Routes: unknown[]) => ({ Kind: 'service-router', Name: 'r', Routes });

/** As recorded of 1.8.7. */
describe('a config entry as it is written', () => {
  it('takes names in any case and in snake_case, and values of another type', () => {
    const written = {
      kind: 'service-defaults',
      name: 'web',
      protocol: 7,
      mesh_gateway: { mode: 'remote' },
      expose: { paths: { path: '/h', local_path_port: '1' } },
    };
    assert.deepEqual(shown(written), {
      Kind: 'service-defaults',
      Name: 'web',
      Protocol: '7',
      MeshGateway: { Mode: 'remote' },
      Expose: { Paths: [{ Path: '/h', LocalPathPort: 1, ParsedFromCheck: false }] },
    });
  });

  it('takes what HCL makes of blocks', () => {
    const hcl = `
      Kind = "service-router"
      Name = "web"
      Routes = [
        {
          Match { HTTP { PathPrefix = "/api" } }
          Destination { Service = "api" }
        }
      ]`;
    assert.deepEqual(shown(parseHcl(hcl)), {
      Kind: 'service-router',
      Name: 'web',
      Routes: [{ Match: { HTTP: { PathPrefix: '/api' } }, Destination: { Service: 'api' } }],
    });
  });

  it('says durations as text, whichever way they were said', () => {
    for (const [said, is] of [
      [5_000_000_000, '5s'],
      ['1500ms', '1.5s'],
      [0, undefined],
    ] as const) {
      assert.deepEqual(shown(resolver({ ConnectTimeout: said })), {
        ...(is && { ConnectTimeout: is }),
        Kind: 'service-resolver',
        Name: 'r',
      });
    }
  });

  it('keeps a 0 that means something else than nothing, in archives too', () => {
    const written = (EnforcingConsecutive5xx: number | null) => ({
      ...{ Kind: 'service-defaults', Name: 'web' },
      UpstreamConfig: {
        Defaults: { PassiveHealthCheck: { MaxFailures: 3, EnforcingConsecutive5xx } },
      },
    });
    const checkOf = (value: object) => {
      const { UpstreamConfig } = value as ReturnType<typeof written>;
      return UpstreamConfig.Defaults.PassiveHealthCheck;
    };
    for (const [given, kept] of [
      [0, { MaxFailures: 3, EnforcingConsecutive5xx: 0 }],
      [50, { MaxFailures: 3, EnforcingConsecutive5xx: 50 }],
      [null, { MaxFailures: 3 }],
    ] as const) {
      const entry = decodeEntry(written(given));
      assert.deepEqual(checkOf(entry), kept);
      const archive = archivedEntry({ ...entry, CreateIndex: 1, ModifyIndex: 2 });
      assert.deepEqual(checkOf(decodeEntry(decodeJson(encodeJson(archive)))), kept);
    }
  });

  it('tells all names that it does not know, with where they stand', () => {
    const unknown = {
      ...router({ Match: { HTTP: { PathPrefix: '/x', Foo: 1 } }, Bar: 2 }),
      Baz: 3,
    };
    assert.equal(
      complaint(unknown),
      '3 errors occurred:\n\t* invalid config key "Routes[0].Match.HTTP.Foo"\n\t* invalid config key "Routes[0].Bar"\n\t* invalid config key "Baz"\n\n',
    );
    assert.equal(
      complaint(resolver({ Subsets: { v1: { Foo: 1 } } })),
      '1 error occurred:\n\t* invalid config key "Subsets[v1].Foo"\n\n',
    );
  });

  it('tells of a value that cannot be what it should', () => {
    for (const [value, why] of [
      [
        resolver({ ConnectTimeout: 'soon' }),
        `* error decoding 'ConnectTimeout': time: invalid duration "soon"`,
      ],
      [resolver({ Subsets: [1] }), "* 'Subsets' expected a map, got 'float64'"],
      [
        resolver({ DefaultSubset: { a: 1 } }),
        "* 'DefaultSubset' expected type 'string', got unconvertible type 'map[string]interface {}'",
      ],
      [router('x'), "* 'Routes[0]' expected a map, got 'string'"],
      [
        router({ Destination: { NumRetries: 'x' } }),
        `* cannot parse 'Routes[0].Destination.NumRetries' as uint: strconv.ParseUint: parsing "x": invalid syntax`,
      ],
    ] as const) {
      assert.equal(complaint(value), `1 error(s) decoding:\n\n${why}`);
    }
  });

  it('is of a kind that there is', () => {
    for (const [value, why] of [
      [{ Name: 'x' }, 'Payload does not contain a kind/Kind key at the top level'],
      [{ Kind: 7 }, 'Kind value in payload is not a string'],
      [{ Kind: 'Service-Defaults' }, 'invalid config entry kind: Service-Defaults'],
      [{ Kind: 'toString' }, 'invalid config entry kind: toString'],
      [[1], "'' expected a map, got 'slice'"],
      ['x', "'' expected a map, got 'string'"],
      [null, 'Payload does not contain a kind/Kind key at the top level'],
    ] as const) {
      assert.equal(complaint(value), why);
    }
  });

  it('is of no other namespace, which would end up in this one', () => {
    const feature = 'namespaces are a consul enterprise feature';
    for (const value of [
      resolver({ Namespace: 'other' }),
      resolver({ Redirect: { Service: 'x', Namespace: 'other' } }),
      { Kind: 'service-splitter', Name: 's', Splits: [{ Weight: 100, Namespace: 'q' }] },
    ]) {
      assert.match(complaint(value), new RegExp(feature));
    }
    assert.equal(complaint(resolver({ Namespace: '', Partition: 'default' })), '');
    assert.equal(complaint(resolver({ Redirect: { Service: 'x', Namespace: 'default' } })), '');
  });

  it('keeps names that mean something to a language as names', () => {
    const Config = JSON.parse('{"__proto__": {"a": 1}, "constructor": 2}');
    const entry = decodeEntry({ Kind: 'proxy-defaults', Config });
    assert.equal(encodeJson(entry['Config']), '{"__proto__":{"a":1},"constructor":2}');
    assert.equal(Object.getPrototypeOf(entry['Config']), Object.prototype);
    const subsets = JSON.parse('{"Kind":"service-resolver","Name":"r","Subsets":{"__proto__":{}}}');
    assert.match(complaint(subsets), /^Subset "__proto__" is invalid/);
  });

  it('has lists and maps of no more members than anybody needs', () => {
    const many = Array.from({ length: 5000 }, () => ({}));
    assert.match(complaint(router(...many)), /'Routes' has more than 4096 members/);
    const Subsets = Object.fromEntries(many.map((_, i) => [`v${i}`, {}]));
    assert.match(complaint(resolver({ Subsets })), /'Subsets' has more than 4096 names/);
  });

  it('holds nothing that ends a Consul which is given an archive of it', () => {
    const to = (over: object) => router({ Destination: over });
    for (const bad of [{ NumRetries: 2 ** 32 }, { RetryOnStatusCodes: [-1] }]) {
      assert.match(complaint(to(bad)), /overflows uint32/);
    }
    assert.equal(complaint(to({ NumRetries: 2 ** 32 - 1, RetryOnStatusCodes: [503] })), '');
    const Config = { none: null, within: [1, null, { none: null, large: 2n ** 63n }] };
    const entry = decodeEntry({ Kind: 'proxy-defaults', Config });
    const { Config: kept } = archivedEntry({ ...entry, CreateIndex: 1, ModifyIndex: 2 }) as {
      Config: object;
    };
    assert.deepEqual(kept, { within: [1, { large: 2n ** 63n }] });
  });

  it(`comes back as it was from an answer and from an archive (seed ${SEED})`, () => {
    fc.assert(
      fc.property(configEntry, (entry) => {
        const stored = { ...entry, CreateIndex: 1, ModifyIndex: 2 };
        assert.deepEqual(decodeEntry(decodeJson(encodeJson(shownEntry(stored)))), entry);
        assert.deepEqual(decodeEntry(decodeJson(encodeJson(archivedEntry(stored)))), entry);
      }),
      { seed: SEED },
    );
  });
});

describe('kinds of config entries', () => {
  it('are known by the name that stands in each', () => {
    assert.deepEqual(
      [...KINDS].map(([name, { kind }]) => [name, kind]),
      [...KINDS.keys()].map((name) => [name, name]),
    );
  });

  it('each take an entry of which nothing is said but its name, or say what is missing', () => {
    for (const Kind of KINDS.keys()) {
      const entry = decodeEntry({ Kind, Name: 'x' });
      assert.deepEqual(decodeEntry(decodeJson(encodeJson(shownFields(entry)))), entry, Kind);
      assert.equal(typeof complaint(entry), 'string');
    }
  });

  const PEM = (what: string) => `-----BEGIN ${what}-----\nAAAA\n-----END ${what}-----\n`;
  const listener = { Name: 'l', Port: 80, Protocol: 'HTTP' };
  const parents = [{ Kind: 'api-gateway', Name: 'gw' }];
  const jwks = { Local: { JWKS: 'e30=' } };

  for (const [Kind, good, bad] of [
    [
      'service-intentions',
      { Name: 'db', Sources: [{ Name: '*', Action: 'deny' }] },
      { Name: 'db' },
    ],
    [
      'service-intentions',
      {
        Name: 'db',
        Sources: [{ Name: 'w', Permissions: [{ Action: 'allow', HTTP: { Methods: ['get'] } }] }],
      },
      {
        Name: 'db',
        Sources: [
          {
            Name: 'w',
            Action: 'allow',
            Permissions: [{ Action: 'allow', HTTP: { PathExact: '/' } }],
          },
        ],
      },
    ],
    [
      'mesh',
      { TransparentProxy: { MeshDestinationsOnly: true } },
      { TLS: { Incoming: { Nope: 1 } } },
    ],
    [
      'exported-services',
      { Name: 'default', Services: [{ Name: '*', Consumers: [{ Peer: 'p' }] }] },
      { Name: 'other', Services: [] },
    ],
    ['sameness-group', { Name: 'g', Members: [{ Partition: 'p' }] }, { Name: 'g', Members: [{}] }],
    ['jwt-provider', { Name: 'j', JSONWebKeySet: jwks }, { Name: 'j', JSONWebKeySet: {} }],
    [
      'api-gateway',
      { Name: 'gw', Listeners: [listener] },
      { Name: 'gw', Listeners: [{ ...listener, Port: 0 }] },
    ],
    [
      'http-route',
      { Name: 'h', Parents: parents, Rules: [{ Services: [{ Name: 'web' }] }] },
      { Name: 'h', Parents: parents, Rules: [{ Matches: [{ Method: 'BREW' }] }] },
    ],
    [
      'tcp-route',
      { Name: 't', Parents: parents, Services: [{ Name: 'x' }] },
      { Name: 't', Services: [{ Name: 'x' }, { Name: 'y' }] },
    ],
    [
      'inline-certificate',
      { Name: 'c', Certificate: PEM('CERTIFICATE'), PrivateKey: PEM('EC PRIVATE KEY') },
      { Name: 'c', Certificate: PEM('CERTIFICATE'), PrivateKey: '<hidden>' },
    ],
  ] as const) {
    it(`take a ${Kind} that is right, and refuse one that is not`, () => {
      assert.equal(complaint({ Kind, ...good }), '');
      assert.notEqual(complaint({ Kind, ...bad }), '');
    });
  }
});
