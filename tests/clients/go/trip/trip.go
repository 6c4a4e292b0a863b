// Package trip is what the Go clients' programs share: PROGRAM HOST:PORT NAME [--sabotage].
// NAME begins the names of topics and groups. With --sabotage a record is kept back, which the checks must find.
package trip

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"
)

var (
	Address  string
	Name     string
	Sabotage bool
	failed   bool
)

const timeout = 40 * time.Second

// Check runs one check and prints what compat.py reads.
func Check(what string, test func(ctx context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if err := test(ctx); err != nil {
		failed = true
		text := strings.ReplaceAll(err.Error(), "\n", " ")
		fmt.Printf("FAIL  %s  (%.300s)\n", what, text)
		return
	}
	fmt.Printf("pass  %s\n", what)
}

// Expect is nil if both are the same.
func Expect(expected, found any) error {
	if reflect.DeepEqual(expected, found) {
		return nil
	}
	return fmt.Errorf("expected %.100s, found %.100s", fmt.Sprint(expected), fmt.Sprint(found))
}

// Values are what the checks send.
func Values(count int) []string {
	values := make([]string, count)
	for i := range values {
		values[i] = fmt.Sprintf("value %d %s", i, strings.Repeat("x", i%100))
	}
	return values
}

// Kept is what is sent of the values.
func Kept(values []string) []string {
	if Sabotage {
		return values[:len(values)-1]
	}
	return values
}

// Patience is how long to wait for records.
func Patience() time.Duration {
	if Sabotage {
		return 4 * time.Second
	}
	return 30 * time.Second
}

// Run reads the arguments, runs the checks and ends the program.
func Run(checks func()) {
	Address, Name = os.Args[1], os.Args[2]
	Sabotage = len(os.Args) > 3 && os.Args[3] == "--sabotage"
	checks()
	fmt.Println("done")
	if failed {
		os.Exit(1)
	}
}
