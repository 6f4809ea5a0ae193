module perdure

go 1.19
