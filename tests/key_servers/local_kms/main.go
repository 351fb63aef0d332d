// Serves local-kms at one address of this machine: its own program listens on all of them and can be told no other.
//
// What answers is local-kms, unchanged. A test tool: it is never shipped.
//
//	local-kms 127.0.0.1:8080 /folder/for/its/keys eu-west-2
package main

import (
	"log"
	"net/http"
	"os"

	"github.com/nsmithuk/local-kms/src"
	"github.com/nsmithuk/local-kms/src/config"
	"github.com/nsmithuk/local-kms/src/data"
)

const account = "111122223333"

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: local-kms ADDRESS FOLDER REGION")
	}
	config.AWSAccountId, config.AWSRegion, config.DatabasePath = account, os.Args[3], os.Args[2]
	database := data.NewDatabase(config.DatabasePath)
	defer database.Close()
	log.Fatal(http.ListenAndServe(os.Args[1], http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		src.HandleRequest(w, r, database)
	})))
}
