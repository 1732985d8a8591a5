/** Which Services of a cluster come to the catalog, and as what. The names are those of consul-k8s. */
import { encodeJson } from '../../lib/json.ts';
import { matchesAny } from '../names.ts';
import { ANNOTATION, type KubeService, MAX_ADDRESSES, META_ANNOTATION } from '../objects.ts';
import { BROUGHT_AS, isOurs, SYNC_SERVICE } from '../ours.ts';

export interface SyncRules {
  /** The node that all instances are on. */
  readonly node: string;
  /** Who keeps them: another sync may have others on the same node. */
  readonly owner: string;
  /** Whether a Service comes that does not say. */
  readonly byDefault: boolean;
  readonly namePrefix: string;
  readonly addsNamespace: boolean;
  readonly tag: string;
  readonly allowNamespaces: readonly string[];
  readonly denyNamespaces: readonly string[];
  readonly clusterIps: boolean;
  readonly nodePorts: 'ExternalOnly' | 'InternalOnly' | 'ExternalFirst';
  /** Both families, where a Service has two: each pod is two instances then. */
  readonly bothFamilies: boolean;
}

/** What its annotations say of a Service. */
export function annotated(service: KubeService, name: string): string {
  return service.annotations.get(`${ANNOTATION}service-${name}`)?.trim() ?? '';
}

export function annotatedMeta({
  annotations,
}: KubeService): readonly (readonly [string, string])[] {
  return [...annotations]
    .filter(([name]) => name.startsWith(META_ANNOTATION))
    .map(([name, value]) => [name.slice(META_ANNOTATION.length), value]);
}

/** A comma in a tag is written `\,`. */
export function annotatedTags(service: KubeService): readonly string[] {
  return (annotated(service, 'tags').match(/(?:\\,|[^,])+/g) ?? [])
    .map((tag) => tag.replaceAll('\\,', ',').trim())
    .filter((tag) => tag !== '');
}

/** Denied is denied, whatever else is allowed; and what came from a catalog does not go back to one. */
export function isSynced(service: KubeService, rules: SyncRules): boolean {
  const { namespace, labels, type, hasSelector } = service;
  if (isOurs(labels, hasSelector) || type === 'ExternalName') return false;
  if (type === 'ClusterIP' && !rules.clusterIps && service.externalIps.length === 0) return false;
  if (matchesAny(namespace, rules.denyNamespaces)) return false;
  if (!matchesAny(namespace, rules.allowNamespaces)) return false;
  const said = saidOf(service);
  if (TRUE.has(said)) return true;
  // Anything else that is said is no yes: so it is in consul-k8s, where it is read as Go reads a bool.
  return said === '' && rules.byDefault;
}

/** Of one that somebody applied over what came from the catalog, the `false` there is what that was made with. */
function saidOf(service: KubeService): string {
  const said = annotated(service, 'sync').toLowerCase();
  return said === 'false' && service.annotations.has(BROUGHT_AS) ? '' : said;
}

const TRUE = new Set(['1', 't', 'true']);

export function catalogName(service: KubeService, rules: SyncRules): string {
  const given = annotated(service, 'name');
  if (given !== '') return given;
  const { name, namespace } = service;
  return `${rules.namePrefix}${name}${rules.addsNamespace ? `-${namespace}` : ''}`;
}

/** Each instance has it thrice, and a Service may have a thousand of them. */
const MAX_NAME_BYTES = 255;
const MAX_TAGS_BYTES = 8 * 1024;
/** The servers, and the syncs themselves: whoever asks for them is to find no pod. */
const RESERVED = new Set(['consul', SYNC_SERVICE]);

/** Of all instances of a Service, as the catalog shows them. */
const MAX_BYTES = 16 * 1024 * 1024;

/** What the catalog says besides of an instance, and of a check: indexes, names of its own, its node. */
const ADDED_TO_INSTANCE = 200;
const ADDED_TO_CHECK = 150;

/** No instance is shown with less. */
export const LEAST_BYTES = 350;

interface Sized {
  readonly service: {
    readonly ID: string;
    readonly Service: string;
    readonly Tags: readonly string[];
  };
  readonly checks: readonly object[];
}

/** Of instances of one Service, as the catalog shows them: `<` is six bytes there. Those of `known` are not reckoned anew. */
export function bytesOf(
  instances: readonly Sized[],
  known: WeakMap<Sized, number> = new WeakMap(),
): number {
  // They share their tags, which each check says once more.
  const ofTags = new Map<readonly string[], number>();
  const bytesOfTags = (tags: readonly string[]) => {
    const there = ofTags.get(tags) ?? bytesIn(tags);
    ofTags.set(tags, there);
    return there;
  };
  return instances.reduce((sum, instance) => {
    const bytes = known.get(instance) ?? bytesOfOne(instance, bytesOfTags);
    known.set(instance, bytes);
    return sum + bytes;
  }, 0);
}

function bytesOfOne(
  { service, checks }: Sized,
  bytesOfTags: (tags: readonly string[]) => number,
): number {
  const { ID, Service, Tags, ...others } = service;
  const ofNames = bytesIn([ID, Service]) + bytesOfTags(Tags);
  const ofChecks = checks.length === 0 ? 0 : bytesIn(checks);
  const added = ADDED_TO_INSTANCE + (ADDED_TO_CHECK + ofNames) * checks.length;
  return ofNames + bytesIn(others) + ofChecks + added;
}

function bytesIn(value: unknown): number {
  return Buffer.byteLength(encodeJson(value));
}

/** Why none of them comes. */
export function faultOfAll(count: number, bytes: number): string | undefined {
  if (bytes <= MAX_BYTES) return undefined;
  return `${count} instances have at least ${bytes} bytes together, which is over ${MAX_BYTES}`;
}

/** Why a Service does not come that asks to: whoever may write its annotations is no friend of all others. */
export function faultOf(service: KubeService, rules: SyncRules): string | undefined {
  const name = catalogName(service, rules);
  if (RESERVED.has(name.toLowerCase())) return `the catalog has a "${name}" of its own`;
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `its name is over ${MAX_NAME_BYTES} bytes`;
  if (/\p{Cc}/u.test(name)) return 'its name has characters that cannot be printed';
  const addresses = Math.max(service.externalIps.length, service.ingress.length);
  if (addresses > MAX_ADDRESSES) return `it has over ${MAX_ADDRESSES} addresses`;
  const bytes = annotatedTags(service).reduce((sum, tag) => sum + Buffer.byteLength(tag) + 3, 0);
  return bytes > MAX_TAGS_BYTES ? `its tags are over ${MAX_TAGS_BYTES} bytes` : undefined;
}
