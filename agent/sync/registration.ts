/** What is asked of the registrar, on which terms, and what it comes to. */
import type { ServiceDefinition } from '../../lib/model.ts';
import type { SidecarPorts } from '../definitions/sidecar.ts';
import type { LocalCheck, Source } from '../state/local-state.ts';

export interface RegistrationPolicy {
  /** Whether checks may run programs: those of files, and those registered over HTTP too. */
  readonly scripts: { readonly fromFiles: boolean; readonly fromHttp: boolean };
  readonly sidecarPorts: SidecarPorts;
  /** For what files define without a token. */
  readonly fileToken: () => string;
}

export interface RegisterOptions {
  readonly source: Source;
  readonly token: string;
  /** Checks of the service that this registration does not name go. */
  readonly replaceChecks?: boolean;
  /** Without one everything is allowed: the files are the operator's. */
  readonly vet?: Vet;
}

/**
 * Whether whoever registers may do so. It is asked of all that a registration brings and of all that
 * stands under the same IDs, before anything is changed, and throws what is refused.
 */
export interface Vet {
  service(definition: ServiceDefinition, before: ServiceDefinition | undefined): void;
  /** By the name of its service, '' for the node's own. */
  check(serviceName: string, before: LocalCheck | undefined): void;
}

/** What a registration came to. */
export interface Registered {
  /** Of the services: its own and, where it asks for one, its sidecar's. */
  readonly ids: readonly string[];
  /** Puts back what stood before, as far as nobody has registered it anew since. */
  takeBack(): void;
}
