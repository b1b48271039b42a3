/** A value as YAML for a person to read. */
import { stringify } from "yaml";

export const toYamlText = (value: unknown): string => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
