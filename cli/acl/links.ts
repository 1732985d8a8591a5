/** What a token or a role is to stand for, from the flags of its command. */
import type { Flag } from '../../lib/config/flags.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type { ApiClient } from '../api-client.ts';
import { explained } from '../command.ts';
import type { FlagValues } from '../flag-values.ts';
import { type Kind, POLICY, ROLE, wholeId } from './find.ts';
import type { Link, Links, NodeIdentity, ServiceIdentity } from './objects.ts';
import type { FlagRow } from './show.ts';

const repeated = (help: string): Flag => ({ kind: 'strings', help: `${help} May be repeated.` });

export const LINK_FLAGS: readonly FlagRow[] = [
  ['policy-id', repeated('A policy, by its ID or how that begins.')],
  ['policy-name', repeated('A policy, by its name.')],
  ['service-identity', repeated('May be this service: NAME or NAME:DATACENTER,DATACENTER.')],
  ['node-identity', repeated('May be this node: NAME:DATACENTER.')],
];

export const ROLE_FLAGS: readonly FlagRow[] = [
  ['role-id', repeated('A role, by its ID or how that begins.')],
  ['role-name', repeated('A role, by its name.')],
];

/** A link is by ID or by name: the server finds the other half. */
type GivenLink = Pick<Link, 'ID'> | Pick<Link, 'Name'>;

export interface GivenLinks {
  readonly Policies: readonly GivenLink[];
  readonly Roles: readonly GivenLink[];
  readonly ServiceIdentities: readonly ServiceIdentity[];
  readonly NodeIdentities: readonly NodeIdentity[];
}

export async function givenLinks(flags: FlagValues, api: ApiClient): Promise<GivenLinks> {
  return {
    ServiceIdentities: flags.all('service-identity').map(serviceIdentity),
    NodeIdentities: flags.all('node-identity').map(nodeIdentity),
    Policies: await linksOf(flags, api, POLICY),
    Roles: await linksOf(flags, api, ROLE),
  };
}

export function isEmpty(links: GivenLinks): boolean {
  return Object.values(links).every((each: readonly unknown[]) => each.length === 0);
}

async function linksOf(flags: FlagValues, api: ApiClient, kind: Kind): Promise<GivenLink[]> {
  const links: GivenLink[] = flags.all(`${kind.noun}-name`).map((Name) => ({ Name }));
  for (const start of flags.all(`${kind.noun}-id`)) {
    const id = wholeId(api, kind, start);
    links.push({ ID: await explained(`Error resolving ${kind.noun} ID `, id) });
  }
  return links;
}

function serviceIdentity(text: string): ServiceIdentity {
  const [ServiceName = '', datacenters, ...more] = text.split(':');
  if (more.length > 0) throw malformed('service-identity', text);
  if (datacenters === undefined) return { ServiceName };
  return { ServiceName, Datacenters: datacenters.split(',') };
}

function nodeIdentity(text: string): NodeIdentity {
  const [NodeName = '', Datacenter, ...more] = text.split(':');
  if (Datacenter === undefined || more.length > 0) throw malformed('node-identity', text);
  return { NodeName, Datacenter };
}

function malformed(flag: string, text: string): ProconsulError {
  return new ProconsulError('invalid', `Malformed -${flag} argument: ${JSON.stringify(text)}`);
}

/** Those that there are, and what is given and was not among them. */
export function mergedLinks(
  before: readonly Link[] | null | undefined,
  given: readonly GivenLink[],
): readonly GivenLink[] {
  const old = before ?? [];
  const isNew = (link: GivenLink) =>
    !old.some((each) => ('ID' in link ? each.ID === link.ID : each.Name === link.Name));
  return [...old, ...given.filter(isNew)];
}

/** A service that is given anew is a service of the datacenters that are given with it. */
export function mergedServices(
  { ServiceIdentities }: Links,
  given: readonly ServiceIdentity[],
): readonly ServiceIdentity[] {
  const again = new Map(given.map((each) => [each.ServiceName, each]));
  const old = (ServiceIdentities ?? []).map((each) => again.get(each.ServiceName) ?? each);
  const isNew = ({ ServiceName }: ServiceIdentity) =>
    !old.some((each) => each.ServiceName === ServiceName);
  return [...old, ...given.filter(isNew)];
}

export function mergedNodes(
  { NodeIdentities }: Links,
  given: readonly NodeIdentity[],
): readonly NodeIdentity[] {
  const old = NodeIdentities ?? [];
  const isNew = ({ NodeName, Datacenter }: NodeIdentity) =>
    !old.some((each) => each.NodeName === NodeName && each.Datacenter === Datacenter);
  return [...old, ...given.filter(isNew)];
}
