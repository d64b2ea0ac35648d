module my-behavior

go 1.27
