import type { Reporter } from '#observation';
import { Notes } from './notes.ts';
import type { AnyValue, Attributes, Resource } from './otlp.ts';
import type { SenderName } from './sender-account.ts';
import { given } from './vocabulary/reading.ts';

/** Resource attribute of what a Behalf server tells of itself. Collectors between may bring it back here. */
export const OWN_TELEMETRY = 'behalf.own_telemetry';

/** Resource attributes that name a reporter, or say that it is one of us. */
export const REPORTER_KEYS = [
  'service.name',
  'service.namespace',
  'service.instance.id',
  'deployment.environment.name',
  'deployment.environment',
  OWN_TELEMETRY,
] as const;

/** What the OpenTelemetry SDKs call a service that names itself nothing. */
export const UNKNOWN_SERVICE = 'unknown_service';

/** Who sent it, by its own word: grade `resource`. A missing `service.name` is named as absent, not made up. */
export function reporterOf({ attributes, droppedAttributesCount }: Resource, notes: Notes): Reporter {
  const named = (key: string) => notes.identifier(key, textOf(attributes, key), 255);
  const service = named('service.name');
  if (service === undefined) notes.miss('service.name', 'none_observed');
  if (droppedAttributesCount > 0) notes.miss('resource', 'dropped_by_sdk');
  return given<Reporter>({
    service: service ?? UNKNOWN_SERVICE,
    namespace: named('service.namespace'),
    instance: named('service.instance.id'),
    environment: named('deployment.environment.name') ?? named('deployment.environment'),
    authenticated: 'none',
  });
}

/** The name a sender's account is kept under: as the reporter's, so that what is stored is found under it too. */
export function senderOf(resource: Resource): SenderName {
  const { service, namespace, instance } = reporterOf(resource, new Notes());
  return given<SenderName>({ service, namespace, instance });
}

/** An attribute as text: strings, numbers and booleans. */
export function textOf(attributes: Attributes, key: string): string | undefined {
  const value: AnyValue | undefined = attributes.get(key);
  if (typeof value === 'string') return value === '' ? undefined : value;
  return typeof value === 'bigint' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}
