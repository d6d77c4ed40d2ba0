// Chooses another field to count the values of.

import { useState } from 'react';
import { fieldLabel } from '../../query/fields.ts';
import { ComboBox } from '../../ui/ComboBox/ComboBox.tsx';
import { text } from './text.ts';

const OFFERED_MAX = 40;

export type AddFacetProps = { fields: readonly string[]; onAdd: (field: string) => void };

export function AddFacet({ fields, onAdd }: AddFacetProps) {
  const [typed, setTyped] = useState('');
  const wanted = typed.trim().toLowerCase();
  const found = fields.filter((field) => field.toLowerCase().includes(wanted)).slice(0, OFFERED_MAX);
  return (
    <ComboBox
      label={text.facetAdd}
      labelPlace="hidden"
      placeholder={text.facetAdd}
      isMono
      autoFocus
      items={found.map((field) => ({ id: field, label: fieldLabel(field) }))}
      inputValue={typed}
      onInputChange={setTyped}
      onSelect={({ id }) => onAdd(id)}
    />
  );
}
