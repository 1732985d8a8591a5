/**
 * What this agent does not know, somebody else may: in a server's process whoever takes what is said of
 * nodes that have no agent. An id that is known here, and names no other node, is always this agent's.
 */
import { ProconsulError } from '../../lib/errors.ts';
import type { HttpRequest } from '../../lib/http/route.ts';
import { param } from '../../lib/http/takes.ts';
import type { CheckStatus } from '../../lib/model.ts';

export const NODE = param.text("the node that it is on, where that is not this agent's");
export const MEANT = param.text('the node that is meant: the agent of any other refuses');

type Asking = Pick<HttpRequest, 'callerStill'>;

export interface Named {
  readonly id: string;
  /** '' where it is not said. */
  readonly node: string;
}

export interface Report extends Named {
  readonly status: CheckStatus;
  readonly output: string;
}

/** Each answers false where nobody has it, and throws where it may not be done. */
export interface Elsewhere {
  report(asking: Asking, report: Report): Promise<boolean>;
  deregisterService(asking: Asking, named: Named): Promise<boolean>;
  deregisterCheck(asking: Asking, named: Named): Promise<boolean>;
}

interface Place {
  readonly elsewhere: Elsewhere | undefined;
  readonly config: { readonly nodeName: string };
}

/** A balancer may lead to one agent what was meant for another. */
export function refuseOthers(
  { config: { nodeName } }: Pick<Place, 'config'>,
  { params }: Pick<HttpRequest, 'params'>,
): void {
  const node = params.get('node');
  if (node === '' || isSame(node, nodeName)) return;
  throw new ProconsulError('rejected', `${alone(nodeName)}: ${JSON.stringify(node)} is another's`);
}

function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function alone(node: string): string {
  return `this agent speaks for node ${JSON.stringify(node)} alone`;
}

/** Whether it is this agent's to answer, `isKnown` being whether the id is. */
export function isOwn(
  { config: { nodeName } }: Pick<Place, 'config'>,
  { params, rest: id }: Pick<HttpRequest, 'params' | 'rest'>,
  isKnown: boolean,
): boolean {
  const node = params.get('node');
  return id === '' || isSame(node, nodeName) || (node === '' && isKnown);
}

/** Whether somebody else has taken it; where it is this agent's to answer nothing is done. */
export async function takenElsewhere(
  place: Place,
  request: HttpRequest,
  isKnown: boolean,
  take: (elsewhere: Elsewhere, named: Named) => Promise<boolean>,
): Promise<boolean> {
  if (isOwn(place, request, isKnown)) return false;
  const {
    elsewhere,
    config: { nodeName },
  } = place;
  const { params, rest: id } = request;
  const node = params.get('node');
  const isTaken = elsewhere !== undefined && (await take(elsewhere, { id, node }));
  if (isTaken || node === '') return isTaken;
  const [what, where] = [JSON.stringify(id), JSON.stringify(node)];
  if (elsewhere !== undefined)
    throw new ProconsulError('not-found', `Unknown ID ${what} on ${where}`);
  throw new ProconsulError('rejected', `${alone(nodeName)}: say it of ${where} to a server`);
}
