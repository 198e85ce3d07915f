"""The paper's Fig. 7 and Fig. 8 at any scale: one generator trained against several embedders and weights of L_id.

    python -m bench.ablation --data FACES --embedder smooth=runs/smooth --embedder arc=runs/arc --steps 10000 --out OUT

plan: what is trained (arms, seeds, one number of steps); training: the runs, resumable; judge: one instrument
reads the swaps of all arms; measures, collect: ablation.json. The page is reports.studies.ablation's.
"""
