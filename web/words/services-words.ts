import { count, plural, words } from './words.ts';

export const servicesWords = words(
  {
    title: 'Services',
    name: 'Service',
    health: 'Instances',
    since: 'Since',
    tags: 'Tags',
    source: 'Source',
    sinceHint: (time: string) => `Not all is well since ${time}`,
    inMesh: 'in the mesh',
    kinds: {
      'connect-proxy': 'sidecar proxy',
      'mesh-gateway': 'mesh gateway',
      'terminating-gateway': 'terminating gateway',
      'ingress-gateway': 'ingress gateway',
    },
    summary: (all: number, failing: number) =>
      failing === 0
        ? plural(all, 'service')
        : `${plural(all, 'service')}, ${count(failing)} not well`,
    none: 'No service is registered yet',
    noneHint: 'Register one at any agent, or give its agent a definition in its configuration:',
    noMatch: 'No service matches',
    noMatchHint: 'Names, tags and sources are searched for words; an expression chooses instances.',
  },
  {
    title: '服务',
    name: '服务',
    health: '实例',
    since: '始于',
    tags: '标签',
    source: '来源',
    sinceHint: (time: string) => `自 ${time} 起并非全部正常`,
    inMesh: '已接入网格',
    kinds: {
      'connect-proxy': '边车代理',
      'mesh-gateway': '网格网关',
      'terminating-gateway': '终止网关',
      'ingress-gateway': '入口网关',
    },
    summary: (all: number, failing: number) =>
      failing === 0 ? `${count(all)} 个服务` : `${count(all)} 个服务，${count(failing)} 个异常`,
    none: '尚未注册任何服务',
    noneHint: '可在任一 Agent 上注册，或在 Agent 的配置中写入定义：',
    noMatch: '没有匹配的服务',
    noMatchHint: '关键词匹配名称、标签和来源；表达式用于选择实例。',
  },
);
