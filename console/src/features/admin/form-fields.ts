/** What an entitlement's form asks for, one line a field. */
import { admin } from '../../strings/admin';
import { canonicalize, isObject, type Json, type JsonObject } from '../../verify/canonical';

export interface FormField {
  name: string;
  title: string;
  rule: string;
  required: boolean;
}

export function formFields(form: JsonObject): FormField[] {
  const properties = isObject(form.properties) ? form.properties : {};
  const required = Array.isArray(form.required) ? form.required : [];
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    title: isObject(schema) && typeof schema.title === 'string' ? schema.title : name,
    rule: isObject(schema) ? ruleOf(schema) : canonicalize(schema),
    required: required.includes(name),
  }));
}

function ruleOf(schema: JsonObject): string {
  const text = admin.entitlements;
  const type = typeof schema.type === 'string' ? schema.type : undefined;
  const choices = Array.isArray(schema.enum) ? `${text.oneOf} ${schema.enum.map(choiceText).join(', ')}` : undefined;
  const length = typeof schema.maxLength === 'number' ? text.length(schema.maxLength) : undefined;
  const pattern = typeof schema.pattern === 'string' ? `${text.pattern} ${schema.pattern}` : undefined;
  return [choices ?? type, length, pattern].filter(Boolean).join(', ');
}

function choiceText(choice: Json): string {
  return typeof choice === 'string' ? choice : canonicalize(choice);
}
