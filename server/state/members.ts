/** Members: agents and servers, whether they live, and what that means for the catalog. */

import { sameJson } from '../../lib/equal.ts';
import { MEMBER_STATUS } from '../../lib/membership.ts';
import { type CheckDefinition, SERF_HEALTH } from '../../lib/model.ts';
import { ORIGIN } from '../../lib/place.ts';
import { withFields } from '../../lib/with-fields.ts';
import type {
  MemberAlive,
  MemberLeft,
  MemberRow,
  MembersFailed,
  ReapMembers,
} from '../commands.ts';
import { coordinateKey } from './coordinates.ts';
import { APPLIED, NOT_APPLIED, type Outcome } from './outcome.ts';
import { deleteNode, putCheck } from './registration.ts';
import type { KnownMember, State } from './state.ts';
import { fold } from './topic-names.ts';

const HEALTH: Omit<CheckDefinition, 'Status' | 'Output'> = {
  CheckID: SERF_HEALTH,
  Name: 'Serf Health Status',
  Notes: '',
  ServiceID: '',
  Type: '',
  Definition: {},
};

/**
 * A machine that is set up anew under an old name takes the name over once the old one is dead; as
 * long as that lives, the newcomer is not taken.
 */
export function memberAlive(state: State, { member }: MemberAlive): Outcome {
  const before = state.members.get(fold(member.Node));
  const taken = before !== undefined && before.ID !== member.ID;
  if (taken && before.Status === MEMBER_STATUS.alive) return NOT_APPLIED;
  if (namesake(state, member) !== undefined) return NOT_APPLIED;
  setStatus(state, member, MEMBER_STATUS.alive);
  const node = state.catalog.node(member.Node);
  // The node itself is the agent's to register; only its health is ours.
  if (node?.ID === member.ID) {
    putCheck(
      state,
      member.Node,
      withFields(HEALTH, { Status: 'passing', Output: 'Agent alive and reachable' }),
    );
    beginCoordinate(state, member.Node);
  }
  return APPLIED;
}

/** Who lives, and has that id under another name: one machine is one node. */
export function namesake(
  { membersById }: Pick<State, 'membersById'>,
  { ID, Node }: Pick<MemberRow, 'ID' | 'Node'>,
): KnownMember | undefined {
  for (const each of membersById.rows(ID)) {
    if (each.Status === MEMBER_STATUS.alive && fold(each.Node) !== fold(Node)) return each;
  }
  return undefined;
}

/** The agent of this name lives, and its node is there: it stands somewhere until it is measured. */
export function beginCoordinate(state: State, name: string): void {
  const node = state.catalog.node(name);
  const member = state.members.get(fold(name));
  if (node === undefined || member?.ID !== node.ID) return;
  const key = coordinateKey(node.Node, '');
  if (state.coordinates.get(key) !== undefined) return;
  state.coordinates.set(key, { Node: node.Node, Segment: '', Coord: ORIGIN });
}

export function membersFailed(state: State, { term, nodes }: MembersFailed): Outcome {
  if (term !== state.leadership.term) return NOT_APPLIED;
  for (const name of nodes) {
    const member = state.members.get(fold(name));
    if (member?.Status !== MEMBER_STATUS.alive) continue;
    setStatus(state, member, MEMBER_STATUS.failed);
    if (state.catalog.node(name) === undefined) continue;
    const Output = 'Agent not live or unreachable';
    putCheck(state, name, withFields(HEALTH, { Status: 'critical', Output }));
  }
  return APPLIED;
}

/** Whoever leaves takes only itself: an agent that was refused its name must not take the owner out. */
export function memberLeft(state: State, { node, id, onlyDead, prune }: MemberLeft): Outcome {
  const member = state.members.get(fold(node));
  const owner = member ?? state.catalog.node(node);
  if (id !== undefined && owner?.ID !== id) return NOT_APPLIED;
  if (onlyDead === true && member?.Status === MEMBER_STATUS.alive) return NOT_APPLIED;
  if (prune) state.members.delete(fold(node));
  else if (member !== undefined) setStatus(state, member, MEMBER_STATUS.left);
  deleteNode(state, node);
  return APPLIED;
}

export function reapMembers(state: State, { term, nodes, olderThanMs }: ReapMembers): Outcome {
  if (term !== state.leadership.term) return NOT_APPLIED;
  for (const node of nodes) {
    const member = state.members.get(fold(node));
    // One that has come back meanwhile stays.
    if (member?.Status === MEMBER_STATUS.alive) continue;
    if (olderThanMs !== undefined && state.t - (member?.since ?? 0) < olderThanMs) continue;
    memberLeft(state, { type: 'member-left', node, prune: true });
  }
  return APPLIED;
}

function setStatus(state: State, member: MemberRow, Status: number): void {
  const { ID, Node, Address, Port, Tags } = member;
  const before = state.members.get(fold(Node));
  const since = before?.Status === Status ? before.since : state.t;
  const row: KnownMember = { ID, Node, Address, Port, Tags, Status, since };
  if (!sameJson(before, row)) state.members.set(fold(Node), row);
}
