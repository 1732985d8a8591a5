/** Who speaks for a service in the mesh, and what gateways stand in front of: a part of the Reader. */
import { permissionDenied } from '../../lib/acl/refusals.ts';
import { EVERY_SERVICE, INGRESS_GATEWAY } from '../../lib/config-entries/kinds/ingress-gateway.ts';
import { PROXY_DEFAULTS } from '../../lib/config-entries/kinds/proxy-defaults.ts';
import { SERVICE_DEFAULTS } from '../../lib/config-entries/kinds/service-defaults.ts';
import { SERVICE_RESOLVER } from '../../lib/config-entries/kinds/service-resolver.ts';
import { SERVICE_ROUTER } from '../../lib/config-entries/kinds/service-router.ts';
import { SERVICE_SPLITTER } from '../../lib/config-entries/kinds/service-splitter.ts';
import { TERMINATING_GATEWAY } from '../../lib/config-entries/kinds/terminating-gateway.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { quote } from '../../lib/go-literals.ts';
import type { Instance } from '../../lib/model.ts';
import {
  fromWildcard,
  type GatewayKind,
  type GatewayService,
  isEveryService,
  keyOf,
  servicesBehind,
} from '../chain/gateways.ts';
import { Spoken } from '../chain/spoken.ts';
import type { State } from '../state/state.ts';
import {
  configEntryTopic,
  connectTopic,
  fold,
  gatewaysTopic,
  healthTopic,
  kindTopic,
  ORDINARY,
  ordinaryTopic,
} from '../state/topic-names.ts';
import { type Checked, Listed } from './listed.ts';
import type { NoteOf } from './remembered.ts';
import type { Sight } from './sight.ts';

/** Of what is meant by `*`: each listener of an entry multiplies the services that there are. */
const MAX_MEANT = 200_000;

const GATEWAYS = [INGRESS_GATEWAY.kind, TERMINATING_GATEWAY.kind];
/** Any entry of these may change which protocol a service speaks. */
const OF_PROTOCOLS = [
  ...[SERVICE_DEFAULTS.kind, PROXY_DEFAULTS.kind],
  ...[SERVICE_ROUTER.kind, SERVICE_SPLITTER.kind, SERVICE_RESOLVER.kind],
];

export interface ServicesBehind {
  readonly seen: GatewayService[];
  /** It names none either that may not be seen. */
  readonly isNone: boolean;
}

export class MeshReader {
  readonly #state: State;
  readonly #sight: Sight;
  readonly #noteOf: NoteOf;

  constructor(state: State, sight: Sight, noteOf: NoteOf) {
    this.#state = state;
    this.#sight = sight;
    this.#noteOf = noteOf;
  }

  /**
   * Sidecars in front of the service, its own instances that are connect-native, and the gateways by
   * which it is reached where it is outside of the mesh.
   */
  connectTo(service: string): Checked {
    const isSeen = this.#sight.serviceNamed(service);
    this.#note(connectTopic(service), isSeen);
    const own = isSeen ? this.#state.catalog.connectTo(service) : [];
    return this.#listed(own, this.#gatewaysOf('terminating-gateway', service));
  }

  /** The gateways that let calls to the service into the mesh. */
  ingressTo(service: string): Checked {
    return this.#listed([], this.#gatewaysOf('ingress-gateway', service));
  }

  /** What a gateway stands in front of, by name and port. Throws where the gateway may not be seen. */
  servicesBehind(gateway: string): ServicesBehind {
    if (!this.#sight.serviceNamed(gateway)) throw permissionDenied();
    const said = GATEWAYS.flatMap((kind) => {
      this.#note(configEntryTopic(kind, gateway));
      const entry = this.#state.configEntries.get(kind, gateway);
      // By the name that it has, which may differ from the one that is asked for in its case.
      const isSeen = entry !== undefined && this.#sight.serviceNamed(entry.Name);
      return isSeen ? servicesBehind(entry) : [];
    });
    const named = said.filter((each) => !isEveryService(each));
    const all = [...named, ...this.#meant(said.filter(isEveryService), new Set(named.map(keyOf)))];
    const sees = ({ Service }: GatewayService) => this.#sight.serviceNamed(Service.Name);
    const seen = [...this.#sight.of(all, sees)].sort(byNameAndPort);
    return { seen, isNone: seen.length + named.length === 0 };
  }

  /** By name, those of a kind that stand in front of it; none where it may not be seen. */
  #gatewaysOf(kind: GatewayKind, service: string): string[] {
    const isSeen = this.#sight.serviceNamed(service);
    const { catalog, configEntries } = this.#state;
    const saying = (name: string) => {
      this.#note(gatewaysTopic(kind, name), isSeen);
      return isSeen ? [...configEntries.gatewaysOf(kind, name)] : [];
    };
    const named = saying(service);
    const ofEvery = saying(EVERY_SERVICE);
    if (ofEvery.length > 0) this.#note(ordinaryTopic(service));
    const all = catalog.isOrdinary(service) ? [...named, ...ofEvery] : named;
    return [...new Set(all.map(({ Name }) => fold(Name)))].sort();
  }

  #listed(own: Iterable<Instance>, gateways: readonly string[]): Listed {
    const { catalog } = this.#state;
    const standing = gateways.flatMap((gateway) => {
      const instances = [...catalog.instancesOf(gateway)];
      const seen = this.#sight.of(instances, this.#sight.instance);
      this.#noteOf(healthTopic(gateway), seen, this.#sight.serviceNamed(gateway));
      return [...seen];
    });
    const all = new Set([...this.#sight.of(own, this.#sight.instance), ...standing]);
    return new Listed(catalog, all);
  }

  /** The ordinary services that what is said of all means: an ingress takes those of its protocol. */
  #meant(ofEvery: readonly GatewayService[], named: ReadonlySet<string>): GatewayService[] {
    if (ofEvery.length === 0) return [];
    this.#note(ORDINARY);
    const { catalog, topics } = this.#state;
    const services = catalog.serviceNames.ordinary();
    if (ofEvery.length * services.length > MAX_MEANT) throw tooMany(ofEvery);
    const spoken = new Spoken(this.#state.configEntries);
    const saying = ofEvery.map((said) => ({ said, speaks: this.#speaking(said, spoken) }));
    // Service by service, which is the order that they are shown in: to sort them then takes little.
    return services.flatMap((Name) => {
      const since = topics.indexOf(ordinaryTopic(Name));
      return saying
        .filter(({ said, speaks }) => !isNamed(said, Name, named) && speaks(Name))
        .map(({ said }) => fromWildcard(said, Name, since));
    });
  }

  #speaking({ GatewayKind, Protocol }: GatewayService, spoken: Spoken) {
    if (GatewayKind !== 'ingress-gateway') return () => true;
    // To follow the entries of each service would be a topic or more for each.
    for (const kind of OF_PROTOCOLS) this.#note(kindTopic(kind));
    return (service: string) => {
      try {
        return spoken.of(service) === Protocol;
      } catch (error) {
        // What cannot be a chain speaks nothing: an archive may hold such.
        if (error instanceof ProconsulError) return false;
        throw error;
      }
    };
  }

  #note(topic: string, isSeen = true): void {
    this.#noteOf(topic, [], isSeen);
  }
}

function isNamed(said: GatewayService, Name: string, named: ReadonlySet<string>): boolean {
  return named.size > 0 && named.has(keyOf({ ...said, Service: { Name } }));
}

function tooMany([said]: readonly GatewayService[]): ProconsulError {
  const which = quote(said?.Gateway.Name ?? '');
  return new ProconsulError(
    'rejected',
    `the gateway ${which} stands in front of more than ${MAX_MEANT} services and ports by "*"`,
  );
}

function byNameAndPort(a: GatewayService, b: GatewayService): number {
  const x = fold(a.Service.Name);
  const y = fold(b.Service.Name);
  if (x === y) return (a.Port ?? 0) - (b.Port ?? 0);
  return x < y ? -1 : 1;
}
