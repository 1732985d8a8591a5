/** Commands of Eureka's clients, whose hosts and services are named as those of others are. */
import fc from 'fast-check';
import type { EurekaCommand, EurekaInfo } from '../../../server/eureka-commands.ts';

const app = fc.constantFrom('WEB', 'DB');
/** The last two are what instances of Consul's are called here. */
const id = fc.constantFrom('1', 'x', 'a', 'a:1', 'b:x');
const status = fc.constantFrom('UP', 'DOWN', 'STARTING', 'OUT_OF_SERVICE', 'UNKNOWN');
const named = { app, id };

export const eurekaInfo: fc.Arbitrary<EurekaInfo> = fc
  .record({
    app,
    instanceId: id,
    hostName: fc.constantFrom('a', 'b', 'eureka-10.0.0.1'),
    ipAddr: fc.constantFrom('10.0.0.1', '10.0.0.1', '10.0.0.2'),
    status,
    overriddenStatus: fc.constantFrom('UNKNOWN', 'UNKNOWN', 'OUT_OF_SERVICE'),
    metadata: fc.constantFrom({}, { 'management.port': '1' }),
    vipAddress: fc.constantFrom('web', 'web,other'),
    lastDirtyTimestamp: fc.constantFrom(5, 5, 6, undefined),
  })
  .map(({ lastDirtyTimestamp, ...said }) => ({
    ...said,
    port: { number: 80, enabled: true },
    securePort: { number: 443, enabled: false },
    countryId: 1,
    dataCenterInfo: { class: 'x', name: 'MyOwn' },
    renewalIntervalInSecs: 30,
    durationInSecs: 90,
    isCoordinatingDiscoveryServer: false,
    ...(lastDirtyTimestamp !== undefined && { lastDirtyTimestamp }),
  }));

type Kinds = { readonly [T in EurekaCommand['type']]: [number, fc.Arbitrary<EurekaCommand>] };

export const EUREKA_KINDS: Kinds = {
  'eureka-register': [
    4,
    fc.record(
      {
        type: fc.constant('eureka-register'),
        info: eurekaInfo,
        datacenter: fc.constant('dc1'),
        isReplica: fc.constant(true),
      },
      { requiredKeys: ['type', 'info', 'datacenter'] },
    ),
  ],
  'eureka-cancel': [1, fc.record({ type: fc.constant('eureka-cancel'), ...named })],
  'eureka-revive': [1, fc.record({ type: fc.constant('eureka-revive'), ...named })],
  'eureka-status': [
    2,
    fc.record({
      type: fc.constant('eureka-status'),
      ...named,
      status,
      override: fc.boolean(),
      dirtyAt: fc.nat(9),
    }),
  ],
  'eureka-metadata': [
    1,
    fc.record({
      type: fc.constant('eureka-metadata'),
      ...named,
      metadata: fc.constantFrom({}, { zone: 'z' }),
    }),
  ],
  'eureka-expire': [
    1,
    fc.record({
      type: fc.constant('eureka-expire'),
      term: fc.nat(20),
      instances: fc.array(fc.record({ ...named, at: fc.nat(40), gone: fc.boolean() }), {
        maxLength: 2,
      }),
    }),
  ],
};
