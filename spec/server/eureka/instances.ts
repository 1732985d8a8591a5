/** An instance as a client sends it, and as it is shown. */
export const JSON_FORM = { Accept: 'application/json' };

export interface ShownInstance {
  readonly instanceId: string;
  readonly app: string;
  readonly ipAddr: string;
  readonly status: string;
  readonly overriddenStatus: string;
  readonly actionType: string;
  readonly port: { readonly $: number };
  readonly metadata: Readonly<Record<string, string>>;
}

export interface Applications {
  readonly applications: {
    readonly apps__hashcode: string;
    readonly application: readonly {
      readonly name: string;
      readonly instance: readonly ShownInstance[];
    }[];
  };
}

export function instanceOf(app: string, over: object = {}): object {
  const name = app.toLowerCase();
  return {
    instance: {
      instanceId: `h1:${name}`,
      hostName: 'h1',
      app,
      ipAddr: '10.0.0.1',
      status: 'UP',
      port: { $: 8080, '@enabled': 'true' },
      dataCenterInfo: {
        '@class': 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo',
        name: 'MyOwn',
      },
      leaseInfo: { renewalIntervalInSecs: 30, durationInSecs: 90 },
      vipAddress: name,
      lastDirtyTimestamp: '1760000000000',
      ...over,
    },
  };
}
