// Values of the azd environment, where a variable that was emptied is still there.

@export()
@description('A text without the spaces around it, or what stands for one that is empty.')
func textOr(text string, fallback string) string => empty(trim(text)) ? fallback : trim(text)
