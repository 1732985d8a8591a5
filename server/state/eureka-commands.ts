/** What the commands of Eureka's clients do, and what becomes of their instances when the catalog changes. */
import { sameJson } from '../../lib/equal.ts';
import { type Instance, isOfEureka, SERVICE_MAINTENANCE_PREFIX } from '../../lib/model.ts';
import { withFields } from '../../lib/with-fields.ts';
import {
  type EurekaCancel,
  type EurekaExpire,
  type EurekaInfo,
  type EurekaMetadata,
  type EurekaName,
  type EurekaRegister,
  type EurekaRevive,
  type EurekaRow,
  type EurekaSetStatus,
  type EurekaStatus,
  eurekaId,
  eurekaKey,
} from '../eureka-commands.ts';
import { isOutOfService, leaseId, maintenanceCheck } from './eureka-place.ts';
import { dropEmptyNode, placeFor, putPlaced } from './eureka-rows.ts';
import { APPLIED, NOT_APPLIED, type Outcome } from './outcome.ts';
import { deleteCheck, deleteInstance } from './registration.ts';
import type { State } from './state.ts';

/** Whoever sends what is older than what is known is told nothing, as by a real one: its lease is renewed. */
export function isOlder(info: EurekaInfo, known: EurekaRow | undefined): boolean {
  return known !== undefined && (info.lastDirtyTimestamp ?? known.DirtyAt) < known.DirtyAt;
}

/** Whether to register it would change nothing: its client says again what it has said. */
export function isSaidAgain(info: EurekaInfo, known: EurekaRow, isReplica: boolean): boolean {
  const { lastDirtyTimestamp = known.DirtyAt } = info;
  const said = withFields(info, { lastDirtyTimestamp: known.Info.lastDirtyTimestamp });
  return (
    known.Lapsed !== true &&
    lastDirtyTimestamp === known.DirtyAt &&
    sameJson(withoutNothing(said), withoutNothing(known.Info)) &&
    statusBy(info, known, isReplica) === known.Status
  );
}

export function eurekaRegister(state: State, command: EurekaRegister): Outcome {
  const { info, datacenter, isReplica = false } = command;
  const { index, t } = state;
  const id = eurekaId(info);
  const before = state.eureka.get(info.app, id);
  if (isOlder(info, before)) return APPLIED;
  if (before !== undefined && isSaidAgain(info, before, isReplica)) return APPLIED;
  const status = statusBy(info, before, isReplica);
  const override = overrideBy(info, before);
  const row: EurekaRow = {
    Id: id,
    Info: info,
    Status: status,
    ...(override !== undefined && { Override: override }),
    DirtyAt: info.lastDirtyTimestamp ?? t,
    Action: 'ADDED',
    RegisteredAt: t,
    UpAt: before?.UpAt || (status === 'UP' ? t : 0),
    ChangedAt: t,
    ...placed(state, info, before),
    CreateIndex: before?.CreateIndex ?? index,
    ModifyIndex: index,
  };
  put(state, row, datacenter);
  return APPLIED;
}

export function eurekaCancel(state: State, name: EurekaCancel): Outcome {
  const row = state.eureka.get(name.app, name.id);
  if (row === undefined) return NOT_APPLIED;
  deleteInstance(state, row.Node, row.ServiceID);
  return APPLIED;
}

export function eurekaRevive(state: State, name: EurekaRevive): Outcome {
  return change(state, name, ({ Lapsed, ...row }) => (Lapsed === true ? row : undefined));
}

export function eurekaSetStatus(state: State, command: EurekaSetStatus): Outcome {
  const { status, override, dirtyAt = 0 } = command;
  return change(state, command, ({ Override, Lapsed, ...row }) => {
    const isSaid = override ? row.Status === status : Override === undefined;
    if (isSaid) return undefined;
    return withFields(row, {
      Status: status,
      ...(override && { Override: status }),
      UpAt: row.UpAt || (status === 'UP' ? state.t : 0),
      DirtyAt: Math.max(row.DirtyAt, dirtyAt),
      Action: 'MODIFIED' as const,
    });
  });
}

export function eurekaMetadata(state: State, command: EurekaMetadata): Outcome {
  return change(state, command, (row) => {
    const metadata = withFields(row.Info.metadata, command.metadata);
    if (sameJson(metadata, row.Info.metadata)) return undefined;
    const Info = withFields(row.Info, { metadata });
    return withFields(row, { Info, Action: 'ADDED' as const, RegisteredAt: state.t });
  });
}

/** A leader of an older term may have been asleep while others renewed. */
export function eurekaExpire(state: State, { term, instances }: EurekaExpire): Outcome {
  if (term !== state.leadership.term) return NOT_APPLIED;
  for (const { app, id, at, gone } of instances) {
    const row = state.eureka.get(app, id);
    if (row === undefined || row.ModifyIndex !== at || gone !== (row.Lapsed === true)) continue;
    if (gone) deleteInstance(state, row.Node, row.ServiceID);
    else put(state, withFields(row, { Lapsed: true as const, ...changedNow(state) }));
  }
  return APPLIED;
}

/**
 * An entry has been applied. An instance that is not in the catalog any more is not here either, whoever
 * took it out; and one that somebody has put in maintenance there is out of service here.
 */
export function settleEureka(state: State): void {
  const notes = state.eureka.takeNotes();
  if (notes === undefined) return;
  for (const { Node: node } of notes.taken) moveAway(state, node);
  for (const instance of notes.left) settleLeft(state, instance);
  for (const { Node: node, CheckID, ServiceID: serviceId } of notes.checked) {
    const isThere = state.catalog.check(node, CheckID) !== undefined;
    if (!isThere) remember(state, { check: { node, serviceId } });
    if (!CheckID.startsWith(SERVICE_MAINTENANCE_PREFIX)) continue;
    const row = state.eureka.at(node, serviceId);
    if (row !== undefined && CheckID === maintenanceCheck(row)) followMaintenance(state, row);
  }
  // What followed from it needs no following.
  state.eureka.takeNotes();
}

/** An agent has come to a node that was made for them: it would take out whatever it does not know. */
function moveAway(state: State, node: string): void {
  const rows = [...state.catalog.instancesOn(node)].map(({ ID }) => state.eureka.at(node, ID));
  const datacenter = state.catalog.node(node)?.Datacenter ?? '';
  for (const row of rows.filter((each) => each !== undefined)) {
    state.eureka.rows.delete(eurekaKey({ app: row.Info.app, id: row.Id }));
    const there = state.catalog.instance(node, row.ServiceID);
    if (there !== undefined && isOfEureka(there)) deleteInstance(state, node, row.ServiceID);
    // It may be the agent's own by now, of the same id: nothing that was said of the other is of that.
    for (const id of [leaseId(row), maintenanceCheck(row)]) deleteCheck(state, node, id);
    const { Node, ServiceID } = placeFor(state, row.Info, row.Id);
    put(state, withFields(row, { Node, ServiceID, ...changedNow(state) }), datacenter);
  }
}

/** Another catalog was restored: who stands in it as before stays, and of those left behind nobody knows. */
export function settleRestored(before: State, state: State): void {
  for (const row of before.eureka.rows.values()) {
    const there = state.catalog.instance(row.Node, row.ServiceID);
    const stays = there !== undefined && isOfEureka(there);
    if (stays) {
      state.eureka.rows.set(eurekaKey({ app: row.Info.app, id: row.Id }), row);
      // What the archive says of it is older than what its client, or who has overridden it, has said.
      if (state.catalog.node(row.Node) !== undefined) putPlaced(state, row, '');
    } else state.eureka.rows.delete(eurekaKey({ app: row.Info.app, id: row.Id }));
  }
  for (const instance of [...state.catalog.instances.values()]) {
    const { Node: node, ID } = instance;
    const owner = state.catalog.node(node);
    const wasMade = isOfEureka(instance) && owner !== undefined && isOfEureka(owner);
    if (!wasMade || state.eureka.at(node, ID) !== undefined) continue;
    deleteInstance(state, node, ID);
    dropEmptyNode(state, node);
  }
  state.eureka.forgetRecent(state.index);
}

function settleLeft(state: State, instance: Instance): void {
  const { Node: node, ID } = instance;
  const now = state.catalog.instance(node, ID);
  const row = state.eureka.at(node, ID);
  if (row === undefined) {
    const isBack = now?.Service.toLowerCase() === instance.Service.toLowerCase();
    if (!isBack) remember(state, { instance });
    return;
  }
  if (now !== undefined) return;
  state.eureka.rows.delete(eurekaKey({ app: row.Info.app, id: row.Id }));
  remember(state, { row: withFields(row, changedNow(state)) });
  dropEmptyNode(state, node);
}

type What = Omit<Parameters<State['eureka']['remember']>[0], 'index' | 't'>;

function remember(state: State, what: What): void {
  state.eureka.remember({ index: state.index, t: state.t, ...what });
}

function followMaintenance(state: State, row: EurekaRow): void {
  const check = state.catalog.check(row.Node, maintenanceCheck(row));
  const isOut = check !== undefined && check.Status === 'critical';
  if (isOut === isOutOfService(row)) return;
  const { Override, ...rest } = row;
  const status: EurekaStatus = isOut ? 'OUT_OF_SERVICE' : 'UP';
  const turns = isOut ? row.Status === 'UP' : row.Status === 'OUT_OF_SERVICE';
  state.eureka.rows.set(
    eurekaKey({ app: row.Info.app, id: row.Id }),
    withFields(rest, {
      Action: 'MODIFIED' as const,
      ...(isOut && { Override: status }),
      ...(turns && { Status: status }),
      ...changedNow(state),
    }),
  );
}

type Changed = Omit<EurekaRow, 'ChangedAt' | 'ModifyIndex'>;

/** What the row is to be; undefined where it is so already. */
function change(
  state: State,
  { app, id }: EurekaName,
  to: (row: EurekaRow) => Changed | undefined,
): Outcome {
  const before = state.eureka.get(app, id);
  if (before === undefined) return NOT_APPLIED;
  const after = to(before);
  if (after !== undefined) put(state, withFields(after, changedNow(state)));
  return APPLIED;
}

function changedNow({ t, index }: State) {
  return { ChangedAt: t, ModifyIndex: index };
}

/** The node says which data centre it is; of one that is not there yet, whoever registers. */
function put(state: State, row: EurekaRow, datacenter = ''): void {
  state.eureka.rows.set(eurekaKey({ app: row.Info.app, id: row.Id }), row);
  putPlaced(state, row, datacenter);
}

/** It stays where it is for as long as its host is the same. */
function placed(state: State, info: EurekaInfo, before: EurekaRow | undefined) {
  if (before === undefined) return placeFor(state, info, eurekaId(info));
  const { Node, ServiceID } = before;
  const { hostName, ipAddr } = before.Info;
  if (hostName === info.hostName && ipAddr === info.ipAddr) return { Node, ServiceID };
  // It moves: nothing of it stays behind, and it has not left for that.
  state.eureka.rows.delete(eurekaKey({ app: info.app, id: before.Id }));
  deleteInstance(state, Node, ServiceID);
  dropEmptyNode(state, Node);
  state.eureka.takeNotes();
  return placeFor(state, info, before.Id);
}

function overrideBy({ overriddenStatus }: EurekaInfo, before: EurekaRow | undefined) {
  if (before?.Override !== undefined) return before.Override;
  return overriddenStatus === 'UNKNOWN' ? undefined : overriddenStatus;
}

/** The first rule that says something: see Eureka's FirstMatchWinsCompositeRule. */
function statusBy(info: EurekaInfo, before: EurekaRow | undefined, isReplica: boolean) {
  const { status } = info;
  if (!canServe(status)) return status;
  const override = overrideBy(info, before);
  if (override !== undefined) return override;
  const was = before?.Status;
  return !isReplica && was !== undefined && canServe(was) ? was : status;
}

function canServe(status: EurekaStatus): boolean {
  return status === 'UP' || status === 'OUT_OF_SERVICE';
}

function withoutNothing(info: EurekaInfo): object {
  return Object.fromEntries(Object.entries(info).filter(([, value]) => value !== undefined));
}
