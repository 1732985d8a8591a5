/** The agent's local state as far as containers touch it, and if asked on a disk. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type {
  CheckRegistration,
  CheckUpdate,
  CurrentCheck,
  Registrations,
  ServiceRegistration,
} from '../../../agent/containers/registrations.ts';

export type Stored = Pick<ServiceRegistration, 'ID' | 'Meta'> & Partial<ServiceRegistration>;

interface StoredCheck extends CurrentCheck {
  readonly ServiceID: string;
}

export class MemoryRegistrations implements Registrations {
  readonly #services = new Map<string, Stored>();
  readonly #checks = new Map<string, StoredCheck>();
  readonly #path: string | undefined;
  /** What was done, in order: 'register host:web:80'. */
  readonly done: string[] = [];
  /** Makes the next calls reject. */
  refuse = false;

  constructor(path?: string) {
    this.#path = path;
    if (path === undefined || !existsSync(path)) return;
    const stored = JSON.parse(readFileSync(path, 'utf8')) as [Stored[], StoredCheck[]];
    for (const service of stored[0]) this.#services.set(service.ID, service);
    for (const check of stored[1]) this.#checks.set(check.CheckID, check);
  }

  get ids(): string[] {
    return [...this.#services.keys()].sort();
  }

  get(id: string): Stored | undefined {
    return this.#services.get(id);
  }

  check(id: string): CurrentCheck | undefined {
    return this.#checks.get(id);
  }

  /** Someone else's, such as an application's own registration. */
  put(service: Stored): void {
    this.#services.set(service.ID, service);
  }

  services(): Iterable<Stored> {
    return this.#services.values();
  }

  checks(): Iterable<CurrentCheck> {
    return this.#checks.values();
  }

  async registerService(service: ServiceRegistration): Promise<void> {
    this.#do(`register ${service.ID}`);
    this.#services.set(service.ID, service);
    this.#save();
  }

  async deregisterService(serviceId: string): Promise<void> {
    this.#do(`deregister ${serviceId}`);
    this.#services.delete(serviceId);
    for (const { CheckID, ServiceID } of this.#checks.values()) {
      if (ServiceID === serviceId) this.#checks.delete(CheckID);
    }
    this.#save();
  }

  async registerCheck(check: CheckRegistration & { readonly CheckID: string }): Promise<void> {
    const { CheckID, ServiceID = '', Status = 'critical' } = check;
    this.#do(`register-check ${CheckID}`);
    this.#checks.set(CheckID, { CheckID, ServiceID, Status, Output: '' });
    this.#save();
  }

  async deregisterCheck(checkId: string): Promise<void> {
    this.#do(`deregister-check ${checkId}`);
    this.#checks.delete(checkId);
    this.#save();
  }

  async updateCheck({ CheckID, Status, Output }: CheckUpdate): Promise<void> {
    this.#do(`update-check ${CheckID} ${Status}`);
    const check = this.#checks.get(CheckID);
    if (check === undefined) throw new Error(`Unknown check ID ${CheckID}`);
    this.#checks.set(CheckID, { ...check, Status, Output });
    this.#save();
  }

  #do(what: string): void {
    if (this.refuse) throw new Error('the agent is busy');
    this.done.push(what);
  }

  /** Whole or not at all: its process may be killed at any time. */
  #save(): void {
    if (this.#path === undefined) return;
    const content = [[...this.#services.values()], [...this.#checks.values()]];
    writeFileSync(`${this.#path}.new`, JSON.stringify(content));
    renameSync(`${this.#path}.new`, this.#path);
  }
}
