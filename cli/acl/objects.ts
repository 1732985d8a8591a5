/** The objects of access control as the HTTP API gives them, in the order in which Go writes them. */

export interface Link {
  readonly ID: string;
  readonly Name: string;
}

export interface ServiceIdentity {
  readonly ServiceName: string;
  readonly Datacenters?: readonly string[] | null;
}

export interface NodeIdentity {
  readonly NodeName: string;
  readonly Datacenter: string;
}

/** What a token and a role may stand for. */
export interface Links {
  readonly Policies?: readonly Link[] | null;
  readonly ServiceIdentities?: readonly ServiceIdentity[] | null;
  readonly NodeIdentities?: readonly NodeIdentity[] | null;
}

interface Indexes {
  readonly CreateIndex: number;
  readonly ModifyIndex: number;
}

export interface Token extends Links, Indexes {
  readonly AccessorID: string;
  /** Not in a list. */
  readonly SecretID?: string;
  readonly Description: string;
  readonly Roles?: readonly Link[] | null;
  readonly Local: boolean;
  readonly AuthMethod?: string;
  readonly ExpirationTime?: string;
  readonly CreateTime: string;
  readonly Hash?: string;
  /** In a list alone. */
  readonly Legacy?: boolean;
  /** What a token of before 1.4 holds instead of policies. */
  readonly Rules?: string;
}

export interface Policy extends Indexes {
  readonly ID: string;
  readonly Name: string;
  readonly Description: string;
  /** Not in a list. */
  readonly Rules?: string;
  readonly Datacenters?: readonly string[] | null;
  readonly Hash: string;
}

export interface Role extends Links, Indexes {
  readonly ID: string;
  readonly Name: string;
  readonly Description: string;
  readonly Hash: string;
}

export interface AuthMethod extends Indexes {
  readonly Name: string;
  readonly Type: string;
  readonly DisplayName?: string;
  readonly Description?: string;
  readonly MaxTokenTTL?: string;
  readonly TokenLocality?: string;
  /** Not in a list. */
  readonly Config?: Readonly<Record<string, unknown>> | null;
}

export interface BindingRule extends Indexes {
  readonly ID: string;
  readonly Description: string;
  readonly AuthMethod: string;
  readonly Selector: string;
  readonly BindType: string;
  readonly BindName: string;
}
