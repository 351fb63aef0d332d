// Serves HashiCorp Vault's own transit engine over HTTP, so that tests ask the real thing.
//
// The engine is Vault's, unchanged; one mount (transit), one token and the routing are this front's, since the
// whole server cannot be built from its Go modules. A test tool: it is never shipped.
//
//	TRANSIT_TOKEN=… transit 127.0.0.1:8200 /folder/for/its/keys
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/vault/builtin/logical/transit"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/physical/file"
)

const mount = "/v1/transit/"

type front struct {
	engine  logical.Backend
	storage logical.Storage
	token   string
}

func main() {
	ctx := context.Background()
	disk, err := file.NewFileBackend(map[string]string{"path": os.Args[2]}, hclog.NewNullLogger())
	stopOn(err)
	storage := logical.NewLogicalStorage(disk)
	system := &logical.StaticSystemView{DefaultLeaseTTLVal: 3600e9, MaxLeaseTTLVal: 3600e9}
	engine, err := transit.Factory(ctx, &logical.BackendConfig{
		StorageView: storage, System: system, Logger: hclog.NewNullLogger(), BackendUUID: "transit",
	})
	stopOn(err)
	stopOn(engine.Initialize(ctx, &logical.InitializationRequest{Storage: storage}))
	handler := &front{engine, storage, os.Getenv("TRANSIT_TOKEN")}
	stopOn(http.ListenAndServe(os.Args[1], handler))
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.token == "" || r.Header.Get("X-Vault-Token") != f.token {
		answer(w, http.StatusForbidden, map[string]any{"errors": []string{"permission denied"}})
		return
	}
	if !strings.HasPrefix(r.URL.Path, mount) {
		refuse(w, http.StatusNotFound, fmt.Errorf("no handler for route %q", r.URL.Path))
		return
	}
	request, err := f.request(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	response, err := f.engine.HandleRequest(r.Context(), request)
	if status, told := logical.RespondErrorCommon(request, response, err); status != 0 {
		refuse(w, status, told)
	} else if response == nil {
		w.WriteHeader(http.StatusNoContent)
	} else {
		answer(w, http.StatusOK, map[string]any{"data": response.Data})
	}
}

func (f *front) request(r *http.Request) (*logical.Request, error) {
	request := &logical.Request{
		Path: strings.TrimPrefix(r.URL.Path, mount), Storage: f.storage, Data: map[string]any{},
	}
	switch r.Method {
	case http.MethodGet:
		request.Operation = logical.ReadOperation
		return request, nil
	case "LIST":
		request.Operation = logical.ListOperation
		return request, nil
	case http.MethodDelete:
		request.Operation = logical.DeleteOperation
		return request, nil
	}
	body := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 1<<20))
	body.UseNumber()
	if err := body.Decode(&request.Data); err != nil && r.ContentLength != 0 {
		return nil, err
	}
	// As Vault's core: what does not exist yet is created, what exists is updated.
	request.Operation = logical.UpdateOperation
	if checked, exists, err := f.engine.HandleExistenceCheck(r.Context(), request); err != nil {
		return nil, err
	} else if checked && !exists {
		request.Operation = logical.CreateOperation
	}
	return request, nil
}

func refuse(w http.ResponseWriter, status int, why error) {
	errors := []string{}
	if why != nil {
		errors = append(errors, why.Error())
	}
	answer(w, status, map[string]any{"errors": errors})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func stopOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
