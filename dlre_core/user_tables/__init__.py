"""Tables as users write them: CSV or workbook to text, and every cell as the data contract has it."""
