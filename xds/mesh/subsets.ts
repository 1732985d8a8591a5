/** A service and its subsets, as its resolver has them, and by which names connections in the mesh ask for them. */

import { inPath } from '../../lib/well-formed.ts';
import { objectIn, textIn } from '../../sidecar/said.ts';
import { asked } from '../resources/endpoints.ts';
import type { Know } from '../worked.ts';
import type { Identity } from './identity.ts';

export interface Subset {
  /** '' for all of it. */
  readonly subset: string;
  readonly filter: string;
  /** '1' where those that are passing alone are meant. */
  readonly passing: string;
}

const WHOLE: Subset = { subset: '', filter: '', passing: '' };

export function subsetsOf(know: Know, service: string): readonly Subset[] {
  const path = `/v1/config/service-resolver/${inPath(service)}`;
  const { Subsets } = objectIn(know(asked(path)));
  const named = Object.entries(objectIn(Subsets)).map(([subset, said]) => {
    const { Filter, OnlyPassing } = objectIn(said);
    return { subset, filter: textIn(Filter), passing: OnlyPassing === true ? '1' : '' };
  });
  return [WHOLE, ...named];
}

/** As chains have it of a target. */
export function nameInMesh(
  { datacenter, trustDomain }: Pick<Identity, 'datacenter' | 'trustDomain'>,
  service: string,
  subset: string,
): string {
  const id = `${service}.default.${datacenter}`;
  return `${subset === '' ? '' : `${subset}.`}${id}.internal.${trustDomain}`;
}

/** Whom such a name may mean: a name of a service may have dots too. */
export function servicesNamed(
  identity: Pick<Identity, 'datacenter' | 'trustDomain'>,
  name: string,
): readonly string[] {
  const end = nameInMesh(identity, '', '');
  if (!name.endsWith(end)) return [];
  const said = name.slice(0, -end.length);
  const dot = said.indexOf('.');
  return dot < 0 ? [said] : [said, said.slice(dot + 1)];
}
