"""Language models: text that goes on as the text it was learnt from."""
