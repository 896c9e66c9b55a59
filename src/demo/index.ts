/**
 * Real services that delegate to each other: a provider, a gateway, an agent with plain OpenTelemetry, an MCP tool, a ledger
 * of payments, and a thief. Each is a process of its own and reports to whatever collector it is given; what the scenes
 * come to is found out by the collector's side alone. Shown by test/demo/scenes.test.ts and test/demo/provider.test.ts.
 */

export type { DemoOptions } from './demo.ts';
export { runDemo } from './demo.ts';
export type { Scene } from './scenes.ts';
