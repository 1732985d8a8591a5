/**
 * Each client has an instance with a check, which it has come, change and go: the history of its service is
 * what it was told that it had done, step by step, at times that never go back.
 */
import type { SimClient } from '../client.ts';
import { Owners } from './owners.ts';

const STATUSES = ['passing', 'warning', 'critical'] as const;

interface Own {
  readonly service: string;
  /** Of the check; undefined where the instance is not there. */
  status: string | undefined;
  /** What was done, as `check from to`. */
  readonly done: string[];
}

interface Change {
  readonly Time: string;
  readonly CheckID: string;
  readonly From: string;
  readonly To: string;
}

export class Past extends Owners<Own> {
  protected readonly name = 'y';
  protected readonly pauseMs = 400;

  protected async begin(_: SimClient, name: string): Promise<Own> {
    return { service: `past-${name}`, status: undefined, done: [] };
  }

  protected async change(client: SimClient, own: Own): Promise<boolean> {
    const { random } = this.cluster.world;
    const { service, status: before } = own;
    const Node = `node-${service}`;
    if (before !== undefined && random.next() < 0.2) {
      const gone = { Node, ServiceID: service };
      if ((await this.do(client, 'PUT', '/v1/catalog/deregister', gone)) === undefined)
        return false;
      own.status = undefined;
      own.done.push(`c ${before} absent`, ' registered absent');
      return true;
    }
    const Status = STATUSES[Math.floor(random.next() * STATUSES.length)] ?? '';
    const Service = { ID: service, Service: service };
    const Check = { CheckID: 'c', Name: 'c', ServiceID: service, Status };
    const body = { Node, Address: '10.4.0.1', Service, Check };
    if ((await this.do(client, 'PUT', '/v1/catalog/register', body)) === undefined) return false;
    if (before === undefined) own.done.push(' absent registered', `c absent ${Status}`);
    else if (before !== Status) own.done.push(`c ${before} ${Status}`);
    own.status = Status;
    return true;
  }

  protected async ask(client: SimClient, { service, done }: Own): Promise<void> {
    const path = `/v1/internal/history/service/${service}${this.mode}`;
    const answer = await client.ask(this.anyPort(), 'GET', path);
    if (answer?.status !== 200) return;
    const rows = JSON.parse(answer.text) as readonly Change[];
    const found = rows.map(({ CheckID, From, To }) => `${CheckID} ${From} ${To}`);
    // What one entry did has one time, and no order that was promised.
    if (found.toSorted().join() !== done.toSorted().join()) {
      const what = `${service}: ${found.join()}, not ${done.join()}`;
      this.violations.add('the history is another one', what);
    }
    const times = rows.map(({ Time }) => Time);
    if (times.join() === times.toSorted().join()) return;
    this.violations.add('times of the history go back', `${service}: ${times.join()}`);
  }
}
